using System.Globalization;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>A generation of an object.</summary>
internal sealed record GoogleObject(string Bucket, string Name, StoredContent Content, long Generation, string Crc32C, string? Md5, DateTimeOffset Created)
{
    public long Metageneration { get; init; } = 1;
    public string ContentType { get; init; } = "application/octet-stream";
    public string? ContentEncoding { get; init; }
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    public DateTimeOffset Updated { get; init; } = Created;

    /// <summary>The resource; numbers of 64 bits as text, times with at most six digits of a fraction.</summary>
    public Dictionary<string, object?> ToJson(Uri address) => new()
    {
        ["kind"] = "storage#object",
        ["id"] = $"{Bucket}/{Name}/{Generation}",
        ["selfLink"] = $"{address}storage/v1/b/{Bucket}/o/{Uri.EscapeDataString(Name)}",
        ["mediaLink"] = $"{address}download/storage/v1/b/{Bucket}/o/{Uri.EscapeDataString(Name)}?generation={Generation}&alt=media",
        ["name"] = Name,
        ["bucket"] = Bucket,
        ["generation"] = Text(Generation),
        ["metageneration"] = Text(Metageneration),
        ["contentType"] = ContentType,
        ["contentEncoding"] = ContentEncoding,
        ["storageClass"] = "STANDARD",
        ["size"] = Text(Content.Length),
        ["crc32c"] = Crc32C,
        ["md5Hash"] = Md5,
        ["etag"] = $"{Generation}/{Metageneration}",
        ["timeCreated"] = Time(Created),
        ["updated"] = Time(Updated),
        ["metadata"] = Metadata.Count == 0 ? null : Metadata,
    };

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
