using System.Text.Json;
using System.Text.Json.Serialization;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Says in a bucket that has outputs of a task but not its decision where the decision is.</summary>
internal sealed record HomePointer(string? Scheme, string Bucket, string Key)
{
    public RemotePath Remote() => new(Scheme, Bucket, Key);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Decision))]
[JsonSerializable(typeof(HomePointer))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class PublishingJson : JsonSerializerContext;
