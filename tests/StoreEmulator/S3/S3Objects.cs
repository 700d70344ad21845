using System.Globalization;
using System.Security.Cryptography;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Requests about single objects.</summary>
internal sealed class S3Objects(S3EmulatorOptions options)
{
    public async Task AnswerAsync(S3Request request, S3Bucket bucket, SignatureV4 signature)
    {
        if (request.Query.FirstOrDefault(pair => pair.Name is not ("x-id" or "versionId" or "partNumber")).Name is { } unknown)
            throw S3Error.NotImplemented($"?{unknown}");
        switch (request.Method)
        {
            case "GET" or "HEAD":
                await ReadAsync(request, bucket);
                break;
            case "PUT" when request.Header("x-amz-copy-source") is not null:
                await CopyAsync(request, bucket);
                break;
            case "PUT":
                await PutAsync(request, bucket, signature);
                break;
            case "DELETE":
                Delete(request, bucket);
                break;
            default:
                throw new S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
        }
    }

    /// <summary>Checks what a write asks for, at the moment of the write.</summary>
    public void CheckConditions(S3Request request, S3Object? there)
    {
        if (options.IgnoresConditions)
            return;
        if (request.Header("If-None-Match") is { } none)
        {
            if (none != "*")
                throw S3Error.NotImplemented("If-None-Match other than *");
            if (there is not null)
                throw S3Error.PreconditionFailed("If-None-Match");
        }
        if (request.Header("If-Match") is { } match)
        {
            if (there is null)
                throw S3Error.NoSuchKey(request.Key);
            if (!Matches(match, there))
                throw S3Error.PreconditionFailed("If-Match");
        }
    }

    /// <summary>What a copy takes, if its conditions hold.</summary>
    public static S3Object Source(S3Request request, S3Buckets buckets)
    {
        var text = request.Header("x-amz-copy-source")!;
        var question = text.IndexOf("?versionId=", StringComparison.Ordinal);
        var version = question < 0 ? null : S3Request.Decode(text[(question + "?versionId=".Length)..], false);
        var path = S3Request.Decode(question < 0 ? text : text[..question], false);
        path = path.StartsWith('/') ? path[1..] : path;
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            throw S3Error.Argument("x-amz-copy-source", text, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
        var bucket = buckets.Get(path[..slash]);
        S3Object source;
        lock (bucket.Lock)
            source = bucket.Find(path[(slash + 1)..], version) ?? throw S3Error.NoSuchKey(path[(slash + 1)..]);
        if (request.Header("x-amz-copy-source-if-match") is { } match && !Matches(match, source))
            throw S3Error.PreconditionFailed("x-amz-copy-source-If-Match");
        if (request.Header("x-amz-copy-source-if-none-match") is { } none && Matches(none, source))
            throw S3Error.PreconditionFailed("x-amz-copy-source-If-None-Match");
        return source;
    }

    public S3Buckets Buckets { get; init; } = null!;

    public static Dictionary<string, string> Metadata(S3Request request) =>
        request.Headers.Where(header => header.Key.StartsWith("x-amz-meta-", StringComparison.Ordinal)).ToDictionary(header => header.Key, header => header.Value);

    public static void TellChecksum(HttpResponse answer, S3KeptChecksum? checksum)
    {
        if (checksum is null)
            return;
        answer.Headers[$"x-amz-checksum-{checksum.Algorithm}"] = checksum.Value;
        answer.Headers["x-amz-checksum-type"] = checksum.Type;
    }

    public static void TellVersion(HttpResponse answer, S3Object one)
    {
        if (one.Version is not null)
            answer.Headers["x-amz-version-id"] = one.Version;
    }

    public static string Md5(StoredContent content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        foreach (var piece in content.Range(0, content.Length))
            hash.AppendData(piece.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task ReadAsync(S3Request request, S3Bucket bucket)
    {
        S3Object one;
        lock (bucket.Lock)
            one = bucket.Find(request.Key, request.Argument("versionId")) ?? throw S3Error.NoSuchKey(request.Key);
        if (one.IsDeleteMarker)
            throw new S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
        if (request.Header("If-Match") is { } match && !Matches(match, one))
            throw S3Error.PreconditionFailed("If-Match");
        if (request.Header("If-None-Match") is { } none && Matches(none, one))
            throw new S3Error(304, "NotModified", "Not Modified");
        var answer = request.Answer;
        answer.Headers.ETag = one.QuotedETag;
        answer.Headers.AcceptRanges = "bytes";
        answer.Headers.LastModified = one.Modified.ToString("R", CultureInfo.InvariantCulture);
        answer.ContentType = one.ContentType;
        foreach (var (name, value) in one.Metadata)
            answer.Headers[name] = value;
        TellVersion(answer, one);
        var (offset, length) = (0L, one.Content.Length);
        if (Range(request.Header("Range"), one.Content.Length) is { } range)
        {
            (offset, length) = range;
            answer.StatusCode = 206;
            answer.Headers.ContentRange = $"bytes {offset}-{offset + length - 1}/{one.Content.Length}";
        }
        else if (request.Header("x-amz-checksum-mode")?.Equals("ENABLED", StringComparison.OrdinalIgnoreCase) == true)
        {
            TellChecksum(answer, one.Checksum);
        }
        answer.ContentLength = length;
        if (request.Method == "HEAD")
            return;
        foreach (var piece in one.Content.Range(offset, length))
            await answer.Body.WriteAsync(piece, request.Aborted);
    }

    private async Task PutAsync(S3Request request, S3Bucket bucket, SignatureV4 signature)
    {
        request.CheckKey();
        using var claim = new S3Claim(bucket, request.Key, !options.IgnoresConditions && (request.Header("If-None-Match") is not null || request.Header("If-Match") is not null));
        lock (bucket.Lock)
            CheckConditions(request, bucket.Find(request.Key));
        var body = await S3Body.ReceiveAsync(request, signature, options);
        S3Object put;
        lock (bucket.Lock)
        {
            CheckConditions(request, bucket.Find(request.Key));
            put = bucket.Put(new S3Object(request.Key, body.Content, body.Md5, null, Now, Metadata(request), request.Header("Content-Type") ?? "binary/octet-stream", body.Checksum is var (algorithm, value) ? new S3KeptChecksum(algorithm, value, false) : null));
        }
        request.Answer.Headers.ETag = put.QuotedETag;
        TellVersion(request.Answer, put);
        TellChecksum(request.Answer, put.Checksum);
    }

    private async Task CopyAsync(S3Request request, S3Bucket bucket)
    {
        request.CheckKey();
        var source = Source(request, Buckets);
        if (source.Content.Length > options.LargestCopy)
            throw S3Error.Invalid($"The specified copy source is larger than the maximum allowable size for a copy source: {options.LargestCopy}");
        var replaces = request.Header("x-amz-metadata-directive") == "REPLACE";
        var algorithm = options.HasNoChecksums ? null : request.Header("x-amz-checksum-algorithm")?.ToLowerInvariant() ?? (source.Checksum is { IsComposite: false } kept ? kept.Algorithm : null);
        var checksum = algorithm is null ? null : new S3KeptChecksum(algorithm, S3Checksums.Of(algorithm, source.Content), false);
        S3Object copy;
        lock (bucket.Lock)
        {
            if (!replaces && ReferenceEquals(bucket.Find(request.Key), source))
                throw S3Error.Invalid("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.");
            CheckConditions(request, bucket.Find(request.Key));
            // What was uploaded in parts is one now.
            var etag = source.ETag.Contains('-', StringComparison.Ordinal) ? Md5(source.Content) : source.ETag;
            copy = bucket.Put(new S3Object(request.Key, source.Content, etag, null, Now, replaces ? Metadata(request) : source.Metadata, replaces ? request.Header("Content-Type") ?? source.ContentType : source.ContentType, checksum));
        }
        TellVersion(request.Answer, copy);
        if (source.Version is not null)
            request.Answer.Headers["x-amz-copy-source-version-id"] = source.Version;
        using var xml = new S3Xml("CopyObjectResult");
        xml.Add("LastModified", copy.Modified).Add("ETag", copy.QuotedETag);
        if (checksum is not null)
            xml.Add($"Checksum{checksum.Algorithm.ToUpperInvariant()}", checksum.Value).Add("ChecksumType", checksum.Type);
        await xml.SendAsync(request.Answer);
    }

    private void Delete(S3Request request, S3Bucket bucket)
    {
        lock (bucket.Lock)
        {
            if (request.Header("If-Match") is { } match && bucket.Find(request.Key) is { } there && !Matches(match, there))
                throw S3Error.PreconditionFailed("If-Match");
            if (bucket.Delete(request.Key, request.Argument("versionId"), Now) is { } marker)
            {
                request.Answer.Headers["x-amz-delete-marker"] = "true";
                TellVersion(request.Answer, marker);
            }
        }
        request.Answer.StatusCode = 204;
    }

    private DateTimeOffset Now => options.Time.GetUtcNow();

    private static bool Matches(string condition, S3Object one) => condition == "*" || condition.Split(',').Any(tag => tag.Trim().Trim('"') == one.ETag);

    // A range that can't be read is ignored; one that lies outside is an error (RFC 9110, 14.2).
    private static (long Offset, long Length)? Range(string? header, long size)
    {
        if (header is null || !System.Net.Http.Headers.RangeHeaderValue.TryParse(header, out var value) || value.Ranges.Count != 1)
            return null;
        var range = value.Ranges.Single();
        var from = range.From ?? Math.Max(0, size - range.To!.Value);
        var to = range.From is null ? size - 1 : Math.Min(range.To ?? size - 1, size - 1);
        return from >= size || to < from
            ? throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable") { Headers = { ["Content-Range"] = $"bytes */{size}" } }
            : (from, to - from + 1);
    }
}
