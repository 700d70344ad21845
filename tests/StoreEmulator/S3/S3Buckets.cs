using System.Collections.Concurrent;
using System.Text;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>Requests about buckets.</summary>
internal sealed class S3Buckets(S3EmulatorOptions options)
{
    private readonly ConcurrentDictionary<string, S3Bucket> _buckets = new(StringComparer.Ordinal);

    /// <exception cref="S3Error">There is none, or none that may be used.</exception>
    public S3Bucket Get(string name)
    {
        if (options.Elsewhere.TryGetValue(name, out var region))
            throw new S3Error(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.") { Headers = { ["x-amz-bucket-region"] = region }, Elements = { ["Bucket"] = name, ["Endpoint"] = $"{name}.s3.{region}.amazonaws.com" } };
        var bucket = _buckets.GetValueOrDefault(name) ?? throw S3Error.NoSuchBucket(name);
        return options.Denied.Contains(name) ? throw new S3Error(403, "AccessDenied", "Access Denied") : bucket;
    }

    public S3Bucket Create(string name)
    {
        if (name.Length is < 3 or > 63 || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.') || !char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1]))
            throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
        var bucket = new S3Bucket(name, options.Versioning, options.Time.GetUtcNow());
        return _buckets.TryAdd(name, bucket) ? bucket : throw new S3Error(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.");
    }

    public async Task AnswerAsync(S3Request request)
    {
        if (request.Bucket.Length == 0)
        {
            if (request.Method != "GET")
                throw new S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
            await ListBucketsAsync(request);
            return;
        }
        switch (request.Method)
        {
            case "PUT" when request.Has("versioning"):
                Get(request.Bucket).KeepsVersions = (await new StreamReader(request.Context.Request.Body).ReadToEndAsync()).Contains(">Enabled<", StringComparison.Ordinal);
                break;
            case "PUT" when request.Query.Count == 0:
                Create(request.Bucket);
                request.Answer.Headers.Location = $"/{request.Bucket}";
                break;
            case "DELETE" when request.Query.Count == 0:
                if (!Get(request.Bucket).IsEmpty)
                    throw new S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
                _buckets.TryRemove(request.Bucket, out _);
                request.Answer.StatusCode = 204;
                break;
            case "HEAD":
                Get(request.Bucket);
                request.Answer.Headers["x-amz-bucket-region"] = options.Region;
                break;
            case "GET" when request.Has("location"):
                Get(request.Bucket);
                using (var xml = new S3Xml("LocationConstraint"))
                    await xml.SendAsync(request.Answer);
                break;
            case "GET" when request.Argument("list-type") == "2":
                await ListAsync(request, Get(request.Bucket));
                break;
            default:
                throw S3Error.NotImplemented($"{request.Method} bucket ?{string.Join('&', request.Query.Select(pair => pair.Name))}");
        }
    }

    private async Task ListBucketsAsync(S3Request request)
    {
        using var xml = new S3Xml("ListAllMyBucketsResult");
        xml.Open("Owner").Add("ID", "emulator").Close().Open("Buckets");
        foreach (var bucket in _buckets.Values.OrderBy(bucket => bucket.Name, StringComparer.Ordinal))
            xml.Open("Bucket").Add("Name", bucket.Name).Add("CreationDate", bucket.Created).Close();
        await xml.Close().SendAsync(request.Answer);
    }

    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    private async Task ListAsync(S3Request request, S3Bucket bucket)
    {
        var prefix = request.Argument("prefix") ?? "";
        var delimiter = request.Argument("delimiter") is { Length: > 0 } text ? text : null;
        var limit = !request.Has("max-keys") ? options.PageSize
            : int.TryParse(request.Argument("max-keys"), out var asked) && asked >= 0 ? Math.Min(asked, options.PageSize)
            : throw S3Error.Argument("max-keys", request.Argument("max-keys"), "Provided max-keys not an integer or within integer range");
        var encodes = request.Argument("encoding-type") switch
        {
            null => false,
            "url" => true,
            var other => throw S3Error.Argument("encoding-type", other, "Invalid Encoding Method specified in Request"),
        };
        var after = Token(request.Argument("continuation-token")) ?? request.Argument("start-after") ?? "";
        IComparer<string> order = options.ListsInAnotherOrder ? StringComparer.Ordinal : Utf8Order.Instance;

        List<S3Object> found;
        lock (bucket.Lock)
            found = [.. bucket.Current.Where(one => one.Key.StartsWith(prefix, StringComparison.Ordinal))];
        if (options.ListsInAnotherOrder)
            found = [.. found.OrderBy(one => one.Key, order)];
        var page = new List<S3Object>();
        var folders = new List<string>();
        string? last = null;
        var more = false;
        foreach (var one in found)
        {
            var cut = delimiter is null ? -1 : one.Key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            var entry = cut < 0 ? one.Key : one.Key[..(cut + delimiter!.Length)];
            if (order.Compare(entry, after) <= 0 || entry == last)
                continue;
            if (page.Count + folders.Count == limit)
            {
                more = true;
                break;
            }
            last = entry;
            if (cut < 0)
                page.Add(one);
            else
                folders.Add(entry);
        }

        using var xml = new S3Xml("ListBucketResult");
        xml.Add("Name", bucket.Name).Add("Prefix", Name(prefix)).Add("KeyCount", page.Count + folders.Count).Add("MaxKeys", limit).Add("IsTruncated", more && limit > 0)
            .Add("Delimiter", delimiter is null ? null : Name(delimiter)).Add("EncodingType", encodes ? "url" : null)
            .Add("ContinuationToken", request.Argument("continuation-token"))
            .Add("NextContinuationToken", more && last is not null ? Convert.ToBase64String(Encoding.UTF8.GetBytes("1." + last)) : null)
            .Add("StartAfter", request.Argument("start-after") is { } start ? Name(start) : null);
        foreach (var one in page)
        {
            xml.Open("Contents").Add("Key", Name(one.Key)).Add("LastModified", one.Modified).Add("ETag", one.QuotedETag)
                .Add("ChecksumAlgorithm", one.Checksum?.Algorithm.ToUpperInvariant()).Add("ChecksumType", one.Checksum?.Type).Add("Size", one.Content.Length).Add("StorageClass", "STANDARD").Close();
        }
        foreach (var folder in folders)
            xml.Open("CommonPrefixes").Add("Prefix", Name(folder)).Close();
        await xml.SendAsync(request.Answer);

        // Slashes stay, a blank is a plus.
        string Name(string name) => encodes ? System.Net.WebUtility.UrlEncode(name).Replace("%2F", "/", StringComparison.Ordinal) : name;
    }

    private static string? Token(string? token)
    {
        try
        {
            return token is null ? null : Encoding.UTF8.GetString(Convert.FromBase64String(token)) is var text && text.StartsWith("1.", StringComparison.Ordinal) ? text[2..] : throw new FormatException();
        }
        catch (FormatException)
        {
            throw S3Error.Argument("continuation-token", token, "The continuation token provided is incorrect");
        }
    }
}
