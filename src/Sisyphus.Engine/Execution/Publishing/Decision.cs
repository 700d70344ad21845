using System.Text.Json;
using System.Text.Json.Serialization;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary><c>published.json</c>, as docs/stores.md describes it. Keys that this version does not know survive a rewrite.</summary>
internal sealed record Decision
{
    public const int CurrentVersion = 1;

    /// <summary>Raised when an older reader would do the wrong thing with it.</summary>
    public required int Version { get; init; }
    public required string Task { get; init; }
    public required string Attempt { get; init; }
    public bool Done { get; init; }
    public required IReadOnlyList<DecidedOutput> Outputs { get; init; }
    public JsonElement Record { get; init; }

    // "set": the source generator makes constructor parameters of "init", which extension data may not be.
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extensions { get; set; }
}

/// <summary>One output of a decision.</summary>
internal sealed record DecidedOutput
{
    /// <summary>Final place, as a remote path of a document.</summary>
    public required string Path { get; init; }
    /// <summary>The same in parts, so that nobody has to parse it; <see cref="Scheme"/> is null for <c>bucket:key</c>.</summary>
    public string? Scheme { get; init; }
    public required string Bucket { get; init; }
    public required string Key { get; init; }
    /// <summary>Key of the staged object in the same bucket.</summary>
    public required string Staged { get; init; }
    public required long Size { get; init; }
    public required string Crc32C { get; init; }
    public required string Sha256 { get; init; }

    // "set": the source generator makes constructor parameters of "init", which extension data may not be.
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extensions { get; set; }

    public RemotePath Remote() => new(Scheme, Bucket, Key);
}
