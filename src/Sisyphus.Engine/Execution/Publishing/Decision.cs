using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary><c>published.json</c>, as docs/stores.md describes it. Keys that this version does not know survive a rewrite.</summary>
internal sealed record Decision
{
    public const int CurrentVersion = 2;

    /// <summary>A decision that staged its outputs is one that older readers understand.</summary>
    public const int StagedVersion = 1;

    /// <summary>Raised when an older reader would do the wrong thing with it.</summary>
    public required int Version { get; init; }
    public required string Task { get; init; }
    public required string Attempt { get; init; }
    public bool Done { get; init; }
    /// <summary>False where the store could not promise that only one attempt decides; otherwise absent.</summary>
    public bool? Exclusive { get; init; }
    /// <summary>True when the outputs go to their final keys without being staged, so that only the attempt that decided can finish; otherwise absent.</summary>
    public bool? Direct { get; init; }
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
    /// <summary>Key of the staged object in the same bucket; null when the output goes straight to its final key.</summary>
    public string? Staged { get; init; }
    public required long Size { get; init; }
    public required string Crc32C { get; init; }
    public required string Sha256 { get; init; }

    // "set": the source generator makes constructor parameters of "init", which extension data may not be.
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Extensions { get; set; }

    public static DecidedOutput Of(RemotePath remote, ContentSums sums, string? staged) => new()
    {
        Path = remote.ToString(),
        Scheme = remote.Scheme,
        Bucket = remote.Bucket,
        Key = remote.Key,
        Staged = staged,
        Size = sums.Size,
        Crc32C = Storage.Checksums.Crc32C.ToText(sums.Crc32C),
        Sha256 = sums.Sha256,
    };

    public RemotePath Remote() => new(Scheme, Bucket, Key);

    public uint Sum() => uint.Parse(Crc32C, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>A store that keeps no checksums says nothing against it.</summary>
    public bool MayBe(ObjectInfo info) => info.Size == Size && (info.Crc32C is not { } crc || crc == Sum());
}
