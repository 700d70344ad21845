using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>JSON as it goes over the broker.</summary>
internal static class Wire
{
    /// <summary>Letters of all languages as they are: headers are no web pages, and small.</summary>
    public static readonly WireJson Json = new(new JsonSerializerOptions(WireJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
