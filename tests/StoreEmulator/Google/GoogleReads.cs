using System.Globalization;
using System.IO.Compression;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>https://cloud.google.com/storage/docs/json_api/v1/objects/get.</summary>
internal static class GoogleReads
{
    public static async Task AnswerAsync(GoogleRequest request, GoogleBucket bucket, string name, Uri address, bool packs)
    {
        var conditions = Conditions.Of(request);
        var there = bucket.Find(name) is { } found && conditions.IsGeneration(found) ? found : throw GoogleError.NoObject(bucket.Name, name);
        if (conditions.IfNotGeneration == there.Generation || conditions.IfNotMetageneration == there.Metageneration)
            throw new GoogleError(304, "notModified", "Not Modified");
        conditions.Check(there);
        if (request.Query("alt") == "media")
            await SendAsync(request, there, packs);
        else
            await Json.SendAsync(request, there.ToJson(address));
    }

    private static async Task SendAsync(GoogleRequest request, GoogleObject there, bool packs)
    {
        var response = request.Context.Response;
        response.Headers["X-Goog-Stored-Content-Encoding"] = there.ContentEncoding ?? "identity";
        var takesPacked = request.Header("Accept-Encoding")?.Contains("gzip", StringComparison.Ordinal) == true;
        if (there.ContentEncoding == "gzip" ? !takesPacked : packs && takesPacked)
        {
            await TranscodeAsync(response, there);
            return;
        }
        response.Headers.ContentEncoding = there.ContentEncoding;
        var (offset, length) = (0L, there.Content.Length);
        if (request.Header("Range") is { } range && Parse(range, there.Content.Length) is var (from, count))
        {
            if (from >= there.Content.Length)
            {
                response.Headers.ContentRange = FormattableString.Invariant($"bytes */{there.Content.Length}");
                throw new GoogleError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
            }
            (offset, length) = (from, count);
            response.StatusCode = 206;
            response.Headers.ContentRange = FormattableString.Invariant($"bytes {offset}-{offset + length - 1}/{there.Content.Length}");
        }
        response.ContentType = there.ContentType;
        response.ContentLength = length;
        response.Headers["X-Goog-Hash"] = $"crc32c={there.Crc32C}{(there.Md5 is null ? "" : $",md5={there.Md5}")}";
        response.Headers["X-Goog-Generation"] = there.Generation.ToString(CultureInfo.InvariantCulture);
        response.Headers["X-Goog-Metageneration"] = there.Metageneration.ToString(CultureInfo.InvariantCulture);
        response.Headers["X-Goog-Stored-Content-Length"] = there.Content.Length.ToString(CultureInfo.InvariantCulture);
        response.Headers["X-Goog-Storage-Class"] = "STANDARD";
        response.Headers.ETag = there.Crc32C.Trim('=');
        foreach (var piece in there.Content.Range(offset, length))
            await response.Body.WriteAsync(piece, request.Context.RequestAborted);
    }

    /// <summary>Whatever range was asked for, the whole, and of no announced length: https://cloud.google.com/storage/docs/transcoding.</summary>
    private static async Task TranscodeAsync(HttpResponse response, GoogleObject there)
    {
        var stored = new MemoryStream([.. there.Content.Range(0, there.Content.Length).SelectMany(piece => piece.ToArray())]);
        if (there.ContentEncoding == "gzip")
        {
            response.Headers.Warning = "214 UploadServer gunzipped";
            await using var unpacked = new GZipStream(stored, CompressionMode.Decompress);
            await unpacked.CopyToAsync(response.Body);
            return;
        }
        response.Headers.ContentEncoding = "gzip";
        await using var packed = new GZipStream(response.Body, CompressionLevel.Fastest);
        await stored.CopyToAsync(packed);
    }

    /// <summary>Null for what is no range, which is ignored (RFC 9110, 14.2).</summary>
    private static (long Offset, long Length)? Parse(string range, long size)
    {
        if (!range.StartsWith("bytes=", StringComparison.Ordinal) || range["bytes=".Length..].Split('-') is not [var first, var last])
            return null;
        if (first.Length == 0)
            return long.TryParse(last, CultureInfo.InvariantCulture, out var suffix) ? (Math.Max(0, size - suffix), Math.Min(suffix, size)) : null;
        if (!long.TryParse(first, CultureInfo.InvariantCulture, out var from))
            return null;
        var to = long.TryParse(last, CultureInfo.InvariantCulture, out var end) ? Math.Min(end, size - 1) : size - 1;
        return to < from && from < size ? null : (from, to - from + 1);
    }
}
