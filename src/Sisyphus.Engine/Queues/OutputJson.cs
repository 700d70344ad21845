using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sisyphus.Engine.Queues;

/// <summary>Batches of lines as a queue carries them.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(OutputBatch))]
internal sealed partial class OutputJson : JsonSerializerContext
{
    public static byte[] Write(OutputBatch batch) => JsonSerializer.SerializeToUtf8Bytes(batch, Default.OutputBatch);

    /// <returns>Null for what is no batch of ours.</returns>
    public static OutputBatch? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Default.OutputBatch) is { Task: not null, Lines: not null } batch ? batch : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
