using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>What an attempt leaves in the object store: what ran, on what, with which result. Names of environment variables only, never their values.</summary>
public sealed record AttemptRecord
{
    public const int CurrentVersion = 1;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<FailureReason>(JsonNamingPolicy.SnakeCaseLower), new JsonStringEnumConverter<TaskState>() },
    };

    public int Version { get; init; } = CurrentVersion;
    public required string Task { get; init; }
    public required string Attempt { get; init; }
    public required int Number { get; init; }
    public string? Name { get; init; }
    public string? Workflow { get; init; }
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
    public required TaskState State { get; init; }
    public FailureReason? Reason { get; init; }
    public string? Message { get; init; }
    public required string Node { get; init; }
    public required string Software { get; init; }
    public required string Image { get; init; }
    public string? ImageDigest { get; init; }
    public IReadOnlyList<IReadOnlyList<string>> Arguments { get; init => field = value.ToArray(); } = [];
    public IReadOnlyList<string> EnvironmentNames { get; init => field = value.ToArray(); } = [];
    public IReadOnlyList<CommandResult> Commands { get; init => field = value.ToArray(); } = [];
    public IReadOnlyList<InputRecord> Inputs { get; init => field = value.ToArray(); } = [];
    public IReadOnlyList<PublishedObject> Outputs { get; init => field = value.ToArray(); } = [];
    /// <summary>False where the store could not promise that no other attempt published at the same time; otherwise null.</summary>
    public bool? Exclusive { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Finished { get; init; }
    /// <summary>Bytes.</summary>
    public long? PeakMemory { get; init; }

    /// <summary>Remote path of the object that it was read from; null for one that was not.</summary>
    [JsonIgnore]
    public string? Record { get; init; }
    /// <summary>As results call them.</summary>
    [JsonIgnore]
    public string Id => Task;
    [JsonIgnore]
    public int Attempts => Number;
    [JsonIgnore]
    public IReadOnlyList<int> ExitCodes => Commands.Select(command => command.ExitCode).ToArray();
    [JsonIgnore]
    public TimeSpan Duration => Finished - Started;

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, s_json);

    /// <returns>Null for a record of a shape that this version does not understand.</returns>
    public static AttemptRecord? FromJson(JsonElement json)
    {
        try
        {
            return json.Deserialize<AttemptRecord>(s_json) is { Version: >= 1 and <= CurrentVersion } record ? record : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentNullException)
        {
            return null; // Also nothing at all, or null in the place of a list.
        }
    }
}

/// <param name="RemotePath"><c>bucket:key</c> of one object.</param>
/// <param name="Crc32C">Eight hexadecimal digits, of the bytes that the task saw.</param>
/// <param name="Sha256">64 hexadecimal digits, likewise.</param>
public sealed record InputRecord(string RemotePath, string Generation, long Size, string Crc32C, string Sha256);
