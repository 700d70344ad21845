using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(LogEntry[]))]
[JsonSerializable(typeof(AttemptSummary[]))]
[JsonSerializable(typeof(LetterNote))]
internal sealed partial class WireJson : JsonSerializerContext;
