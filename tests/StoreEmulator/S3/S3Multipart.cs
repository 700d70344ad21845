using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Requests about objects that come in parts (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).</summary>
internal sealed class S3Multipart(S3EmulatorOptions options, S3Buckets buckets, S3Objects objects)
{
    private const int MaxParts = 10_000;
    private const long LargestPart = 5L * 1024 * 1024 * 1024;

    public static bool IsMeant(S3Request request) => request.Has("uploads") || request.Has("uploadId");

    public Task AnswerAsync(S3Request request, S3Bucket bucket, SignatureV4 signature) => request.Method switch
    {
        "POST" when request.Has("uploads") => BeginAsync(request, bucket),
        "PUT" when request.Header("x-amz-copy-source") is not null => CopyPartAsync(request, bucket),
        "PUT" => PutPartAsync(request, bucket, signature),
        "GET" when request.Has("uploadId") => ListAsync(request, bucket),
        "POST" => CompleteAsync(request, bucket),
        "DELETE" => Abort(request, bucket),
        _ => throw S3Error.NotImplemented($"{request.Method} of uploads"),
    };

    private async Task BeginAsync(S3Request request, S3Bucket bucket)
    {
        request.CheckKey();
        var algorithm = options.HasNoChecksums ? null : request.Header("x-amz-checksum-algorithm")?.ToLowerInvariant();
        if (algorithm is not null)
            _ = S3Checksums.Of(algorithm);
        var type = request.Header("x-amz-checksum-type");
        var isSha = algorithm is "sha1" or "sha256";
        if (algorithm is not null && type == "FULL_OBJECT" && isSha)
            throw S3Error.Invalid($"The FULL_OBJECT checksum type cannot be used with the {algorithm} checksum algorithm.");
        var isComposite = options.HasOnlyCompositeChecksums || (type ?? (algorithm == "crc64nvme" ? "FULL_OBJECT" : "COMPOSITE")) == "COMPOSITE";
        var upload = new S3Upload(Guid.NewGuid().ToString("N"), request.Key, algorithm, isComposite, S3Objects.Metadata(request), request.Header("Content-Type") ?? "binary/octet-stream", options.Time.GetUtcNow());
        lock (bucket.Lock)
            bucket.Uploads[upload.Id] = upload;
        if (algorithm is not null)
        {
            request.Answer.Headers["x-amz-checksum-algorithm"] = algorithm.ToUpperInvariant();
            if (!options.HasOnlyCompositeChecksums)
                request.Answer.Headers["x-amz-checksum-type"] = isComposite ? "COMPOSITE" : "FULL_OBJECT";
        }
        using var xml = new S3Xml("InitiateMultipartUploadResult");
        await xml.Add("Bucket", bucket.Name).Add("Key", request.Key).Add("UploadId", upload.Id).SendAsync(request.Answer);
    }

    private async Task PutPartAsync(S3Request request, S3Bucket bucket, SignatureV4 signature)
    {
        var number = Number(request);
        var upload = Find(request, bucket);
        var body = await S3Body.ReceiveAsync(request, signature, options);
        if (body.Content.Length > LargestPart)
            throw new S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
        if (body.Checksum is var (algorithm, _) && upload.Algorithm is not null && algorithm != upload.Algorithm)
            throw S3Error.Invalid($"Checksum Type mismatch occurred, expected checksum Type: {upload.Algorithm}, actual checksum Type: {algorithm}");
        if (body.Checksum is null && upload is { Algorithm: not null, IsComposite: true })
            throw S3Error.Invalid($"Checksum Type mismatch occurred, expected checksum Type: {upload.Algorithm}, actual checksum Type: null");
        Keep(bucket, upload, new S3Part(number, body.Content, body.Md5, body.Checksum?.Value, options.Time.GetUtcNow()));
        request.Answer.Headers.ETag = $"\"{body.Md5}\"";
        if (body.Checksum is var (name, value))
            request.Answer.Headers[$"x-amz-checksum-{name}"] = value;
    }

    private async Task CopyPartAsync(S3Request request, S3Bucket bucket)
    {
        var number = Number(request);
        var upload = Find(request, bucket);
        var source = S3Objects.Source(request, buckets);
        var content = source.Content;
        if (request.Header("x-amz-copy-source-range") is { } range)
        {
            if (range.Replace("bytes=", "", StringComparison.Ordinal).Split('-') is not [var first, var last] || !long.TryParse(first, out var from) || !long.TryParse(last, out var to) || to < from || to >= source.Content.Length)
                throw S3Error.Argument("x-amz-copy-source-range", range, $"Range specified is not valid for source object of size: {source.Content.Length}");
            content = source.Content.Slice(from, to - from + 1);
        }
        if (content.Length > options.LargestCopy)
            throw S3Error.Invalid($"The specified copy source is larger than the maximum allowable size for a copy source: {options.LargestCopy}");
        var md5 = new SparseHash(HashAlgorithmName.MD5);
        foreach (var piece in content.Range(0, content.Length))
            md5.Append(piece.Span);
        var part = new S3Part(number, content, Convert.ToHexStringLower(md5.Finish()), upload.Algorithm is null ? null : S3Checksums.Of(upload.Algorithm, content), options.Time.GetUtcNow());
        Keep(bucket, upload, part);
        using var xml = new S3Xml("CopyPartResult");
        await xml.Add("LastModified", part.Modified).Add("ETag", $"\"{part.Md5}\"").SendAsync(request.Answer);
    }

    private async Task ListAsync(S3Request request, S3Bucket bucket)
    {
        var upload = Find(request, bucket);
        var marker = int.TryParse(request.Argument("part-number-marker"), out var after) ? after : 0;
        var limit = int.TryParse(request.Argument("max-parts"), out var asked) ? Math.Min(asked, options.PageSize) : options.PageSize;
        List<S3Part> parts;
        lock (bucket.Lock)
            parts = [.. upload.Parts.Values.Where(part => part.Number > marker).Take(limit + 1)];
        using var xml = new S3Xml("ListPartsResult");
        xml.Add("Bucket", bucket.Name).Add("Key", upload.Key).Add("UploadId", upload.Id).Add("PartNumberMarker", marker).Add("MaxParts", limit).Add("IsTruncated", parts.Count > limit)
            .Add("NextPartNumberMarker", parts.Count > limit ? parts[limit - 1].Number : null).Add("ChecksumAlgorithm", upload.Algorithm?.ToUpperInvariant()).Add("ChecksumType", upload.Algorithm is null ? null : upload.IsComposite ? "COMPOSITE" : "FULL_OBJECT");
        foreach (var part in parts.Take(limit))
        {
            xml.Open("Part").Add("PartNumber", part.Number).Add("LastModified", part.Modified).Add("ETag", $"\"{part.Md5}\"").Add("Size", part.Content.Length)
                .Add($"Checksum{upload.Algorithm?.ToUpperInvariant()}", part.Checksum).Close();
        }
        await xml.SendAsync(request.Answer);
    }

    private async Task CompleteAsync(S3Request request, S3Bucket bucket)
    {
        var upload = Find(request, bucket);
        var listed = Read(await new StreamReader(request.Context.Request.Body).ReadToEndAsync(request.Aborted));
        using var claim = new S3Claim(bucket, upload.Key, !options.IgnoresConditions && (request.Header("If-None-Match") is not null || request.Header("If-Match") is not null));
        var parts = Check(bucket, upload, listed);
        var content = new StoredContent();
        foreach (var part in parts)
            content.Append(part.Content);
        if (request.Header("x-amz-mp-object-size") is { } size && size != content.Length.ToString(CultureInfo.InvariantCulture))
            throw S3Error.Invalid("The provided 'x-amz-mp-object-size' header does not match what was computed.");
        var checksum = Checksum(request, upload, parts, content);
        S3Object put;
        lock (bucket.Lock)
        {
            objects.CheckConditions(request, bucket.Find(upload.Key));
            if (!bucket.Uploads.Remove(upload.Id))
                throw S3Error.NoSuchUpload(upload.Id);
            put = bucket.Put(new S3Object(upload.Key, content, ETag(parts), null, options.Time.GetUtcNow(), upload.Metadata, upload.ContentType, checksum));
        }
        S3Objects.TellVersion(request.Answer, put);
        using var xml = new S3Xml("CompleteMultipartUploadResult");
        xml.Add("Location", $"http://{request.Context.Request.Host}/{bucket.Name}/{Uri.EscapeDataString(upload.Key)}").Add("Bucket", bucket.Name).Add("Key", upload.Key).Add("ETag", put.QuotedETag);
        if (checksum is not null)
            xml.Add($"Checksum{checksum.Algorithm.ToUpperInvariant()}", checksum.Value).Add("ChecksumType", checksum.Type);
        await xml.SendAsync(request.Answer);
    }

    private static Task Abort(S3Request request, S3Bucket bucket)
    {
        var upload = Find(request, bucket);
        lock (bucket.Lock)
            bucket.Uploads.Remove(upload.Id);
        request.Answer.StatusCode = 204;
        return Task.CompletedTask;
    }

    private List<S3Part> Check(S3Bucket bucket, S3Upload upload, List<(int Number, string ETag, string? Checksum)> listed)
    {
        if (listed.Count is 0 or > MaxParts)
            throw new S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
        if (listed.Zip(listed.Skip(1)).Any(pair => pair.First.Number >= pair.Second.Number))
            throw new S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.");
        var parts = new List<S3Part>();
        lock (bucket.Lock)
        {
            foreach (var (number, etag, checksum) in listed)
            {
                if (!upload.Parts.TryGetValue(number, out var part) || part.Md5 != etag || (checksum is not null && checksum != part.Checksum))
                    throw new S3Error(400, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.");
                if (checksum is null && upload is { Algorithm: not null, IsComposite: true })
                    throw S3Error.Invalid($"The upload was created using a {upload.Algorithm} checksum. The complete request must include the checksum for each part. It was missing for part {number} in the request.");
                parts.Add(part);
            }
        }
        return parts.SkipLast(1).Any(part => part.Content.Length < options.SmallestPart)
            ? throw new S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
            : parts;
    }

    private S3KeptChecksum? Checksum(S3Request request, S3Upload upload, List<S3Part> parts, StoredContent content)
    {
        if (upload.Algorithm is not { } algorithm)
            return null;
        if (request.Header("x-amz-checksum-type") is { } type && type != (upload.IsComposite ? "COMPOSITE" : "FULL_OBJECT"))
            throw S3Error.Invalid($"The upload was created with another checksum type than {type}.");
        if (upload.IsComposite)
        {
            var sums = new StoredContent();
            foreach (var part in parts)
                sums.Append(Convert.FromBase64String(part.Checksum!));
            return new S3KeptChecksum(algorithm, $"{S3Checksums.Of(algorithm, sums)}-{parts.Count}", true);
        }
        var whole = S3Checksums.Of(algorithm, content);
        if (!options.HasNoChecksums && request.Header($"x-amz-checksum-{algorithm}") is { } told && told != whole)
            throw new S3Error(400, "BadDigest", $"The {algorithm.ToUpperInvariant()} you specified did not match the calculated checksum.");
        return new S3KeptChecksum(algorithm, whole, false);
    }

    private static List<(int Number, string ETag, string? Checksum)> Read(string xml)
    {
        try
        {
            return [.. XDocument.Parse(xml).Root!.Elements().Where(part => part.Name.LocalName == "Part").Select(part => (
                (int)part.Elements().Single(element => element.Name.LocalName == "PartNumber"),
                part.Elements().Single(element => element.Name.LocalName == "ETag").Value.Trim('"'),
                part.Elements().FirstOrDefault(element => element.Name.LocalName.StartsWith("Checksum", StringComparison.Ordinal))?.Value))];
        }
        catch (Exception e) when (e is System.Xml.XmlException or InvalidOperationException or FormatException)
        {
            throw new S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
        }
    }

    private static string ETag(List<S3Part> parts) =>
#pragma warning disable CA5351 // So is S3's.
        $"{Convert.ToHexStringLower(MD5.HashData([.. parts.SelectMany(part => Convert.FromHexString(part.Md5))]))}-{parts.Count}";
#pragma warning restore CA5351

    private static S3Upload Find(S3Request request, S3Bucket bucket)
    {
        var id = request.Argument("uploadId") ?? "";
        lock (bucket.Lock)
            return bucket.Uploads.GetValueOrDefault(id) is { } upload && upload.Key == request.Key ? upload : throw S3Error.NoSuchUpload(id);
    }

    private static int Number(S3Request request) => int.TryParse(request.Argument("partNumber"), out var number) && number is >= 1 and <= MaxParts
        ? number
        : throw S3Error.Argument("partNumber", request.Argument("partNumber"), $"Part number must be an integer between 1 and {MaxParts}, inclusive");

    private static void Keep(S3Bucket bucket, S3Upload upload, S3Part part)
    {
        lock (bucket.Lock)
            upload.Parts[part.Number] = part;
    }
}
