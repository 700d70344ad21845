using System.Security.Cryptography;
using System.Text.Json;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>An object on its way in.</summary>
internal sealed class GoogleUpload(GoogleBucket bucket, string name, JsonElement metadata, Conditions conditions, bool checks = true, bool md5 = true)
{
    private readonly Crc32C _crc = new();
    private readonly IncrementalHash _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly StoredContent _content = new();
    // A client that gave a request up may send the next while the first is still read.
    private readonly Lock _lock = new();

    public long Length => _content.Length;

    /// <summary>The object, once it is one; asked again, the service says it again.</summary>
    public GoogleObject? Done { get; private set; }

    public string ContentType { get; init; } = "application/octet-stream";

    /// <summary>Takes the bytes that come after those it has.</summary>
    /// <param name="at">Where they begin; another request of the same session may have been quicker.</param>
    public void Append(long at, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (at != _content.Length || Done is not null)
                throw new GoogleError(503, "backendError", $"Invalid request. The upload has {_content.Length} bytes; the chunk begins at {at}.");
            _content.Append(bytes);
            _crc.Append(bytes);
            if (md5)
                _md5.AppendData(bytes);
        }
    }

    public void Append(ReadOnlySpan<byte> bytes) => Append(Length, bytes);

    /// <summary>Compares what came with what was announced, and makes the object.</summary>
    /// <param name="hashes">X-Goog-Hash of the request that ends the upload.</param>
    public GoogleObject Finish(string? hashes)
    {
        lock (_lock)
            return Done ?? FinishOnce(hashes);
    }

    private GoogleObject FinishOnce(string? hashes)
    {
        var sum = md5 ? Convert.ToBase64String(_md5.GetCurrentHash()) : null;
        if (checks)
        {
            Compare("crc32c", Json.Text(metadata, "crc32c"), _crc.Text);
            Compare("crc32c", FromHeader(hashes, "crc32c"), _crc.Text);
            Compare("md5Hash", Json.Text(metadata, "md5Hash"), sum);
            Compare("md5Hash", FromHeader(hashes, "md5"), sum);
        }
        return Done = bucket.Put(name, conditions, generation => new GoogleObject(bucket.Name, name, _content, generation, _crc.Text, sum, DateTimeOffset.UtcNow)
        {
            ContentType = Json.Text(metadata, "contentType") ?? ContentType,
            ContentEncoding = Json.Text(metadata, "contentEncoding"),
            Metadata = Json.Metadata(metadata, new Dictionary<string, string>()),
        });
    }

    private static string? FromHeader(string? hashes, string kind) =>
        hashes?.Split(',').Select(part => part.Trim()).FirstOrDefault(part => part.StartsWith(kind + "=", StringComparison.Ordinal))?[(kind.Length + 1)..];

    private static void Compare(string what, string? announced, string? received)
    {
        if (announced is not null && received is not null && announced != received)
            throw GoogleError.Invalid($"Provided {what} \"{announced}\" doesn't match calculated {what} \"{received}\".");
    }
}
