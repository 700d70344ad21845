using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>A version of an object.</summary>
/// <param name="ETag">Without quotes.</param>
/// <param name="Version">Null in a bucket that keeps none.</param>
/// <param name="Metadata">Names with their <c>x-amz-meta-</c>.</param>
/// <param name="Checksum">Algorithm, value in base64, and whether it is one of checksums; null for none.</param>
internal sealed record S3Object(string Key, StoredContent Content, string ETag, string? Version, DateTimeOffset Modified, IReadOnlyDictionary<string, string> Metadata, string ContentType, S3KeptChecksum? Checksum)
{
    /// <summary>A version that says that the object is deleted.</summary>
    public bool IsDeleteMarker { get; init; }

    public string QuotedETag => $"\"{ETag}\"";
}
