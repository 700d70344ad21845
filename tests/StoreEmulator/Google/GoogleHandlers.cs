using System.Globalization;
using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Sisyphus.Tests.StoreEmulator.Google;

/// <summary>Finds who answers a request, and checks what all requests have to have.</summary>
internal sealed partial class GoogleHandlers(GoogleEmulator emulator, ConcurrentDictionary<string, GoogleBucket> buckets)
{
    private readonly GoogleUploads _uploads = new(emulator.Options);
    private readonly GoogleCopies _copies = new(emulator.Options);

    public int OpenUploads => _uploads.Count;

    public void ExpireUploads() => _uploads.Expire();

    public Task AnswerAsync(GoogleRequest request)
    {
        // A session's address is itself the permission to write to it.
        if (request.IsUpload && request.Query("upload_id") is not null)
            return _uploads.ContinueAsync(request, emulator.Address);
        if (emulator.Options.Tokens is { } tokens && (request.Header("Authorization") is not { } shown || !tokens.Contains(shown["Bearer ".Length..])))
            throw new GoogleError(401, "authError", "Invalid Credentials");
        return (request.Method, request.Segments) switch
        {
            ("GET", ["b"]) => ListBucketsAsync(request),
            ("POST", ["b"]) => CreateBucketAsync(request),
            ("GET", ["b", var bucket]) => Json.SendAsync(request, ToJson(Bucket(request, bucket))),
            ("GET", ["b", var bucket, "storageLayout"]) => Json.SendAsync(request, new Dictionary<string, object?> { ["kind"] = "storage#storageLayout", ["bucket"] = Bucket(request, bucket).Name, ["location"] = "US", ["locationType"] = "multi-region", ["hierarchicalNamespace"] = new { enabled = false } }),
            ("DELETE", ["b", var bucket]) => DeleteBucketAsync(request, bucket),
            ("GET", ["b", var bucket, "o"]) => GoogleListing.AnswerAsync(request, Bucket(request, bucket), emulator),
            ("POST", ["b", var bucket, "o"]) when request.IsUpload => _uploads.StartAsync(request, Bucket(request, bucket), emulator.Address),
            ("GET", ["b", var bucket, "o", var name]) => GoogleReads.AnswerAsync(request, Bucket(request, bucket), name, emulator.Address, emulator.Options.Packs),
            ("PATCH" or "PUT", ["b", var bucket, "o", var name]) => PatchAsync(request, Bucket(request, bucket), name),
            ("DELETE", ["b", var bucket, "o", var name]) => DeleteAsync(request, Bucket(request, bucket), name),
            ("POST", ["b", var bucket, "o", var name, "compose"]) => GoogleCopies.ComposeAsync(request, Bucket(request, bucket), name, emulator.Address),
            ("POST", ["b", var bucket, "o", var name, "rewriteTo" or "copyTo", "b", var to, "o", var copy]) => _copies.AnswerAsync(request, Bucket(request, bucket), name, Bucket(request, to), copy, emulator.Address),
            _ => throw new GoogleError(404, "notFound", "Not Found"),
        };
    }

    private GoogleBucket Bucket(GoogleRequest request, string name)
    {
        if (!buckets.TryGetValue(name, out var bucket))
            throw GoogleError.NoBucket();
        if (bucket.Forbidden)
            throw new GoogleError(403, "forbidden", $"somebody@example.com does not have storage.objects access to the Google Cloud Storage bucket {name}.");
        if (bucket.RequesterPays && request.Query("userProject") is null && request.Header("x-goog-user-project") is null)
            throw new GoogleError(400, "required", "Bucket is a requester pays bucket but no user project provided.");
        return bucket;
    }

    private Task ListBucketsAsync(GoogleRequest request)
    {
        if (string.IsNullOrEmpty(request.Query("project")))
            throw new GoogleError(400, "required", "Required parameter: project");
        var size = Math.Min(emulator.Options.PageSize, int.TryParse(request.Query("maxResults"), CultureInfo.InvariantCulture, out var asked) && asked > 0 ? asked : 1000);
        // The token is the name of the last bucket of the page before.
        var rest = buckets.Values.OrderBy(bucket => bucket.Name, StringComparer.Ordinal).Where(bucket => string.CompareOrdinal(bucket.Name, request.Query("pageToken") ?? "") > 0).ToArray();
        return Json.SendAsync(request, new Dictionary<string, object?>
        {
            ["kind"] = "storage#buckets",
            ["items"] = rest.Take(size).Select(ToJson).ToArray(),
            ["nextPageToken"] = rest.Length > size ? rest[size - 1].Name : null,
        });
    }

    private async Task CreateBucketAsync(GoogleRequest request)
    {
        var name = (await Json.ReadAsync(request)).GetProperty("name").GetString() ?? "";
        if (!Name().IsMatch(name))
            throw GoogleError.Invalid($"Invalid bucket name: '{name}'");
        var bucket = new GoogleBucket(name);
        if (!buckets.TryAdd(name, bucket))
            throw new GoogleError(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.");
        await Json.SendAsync(request, ToJson(bucket));
    }

    private Task DeleteBucketAsync(GoogleRequest request, string name)
    {
        if (Bucket(request, name).All.Count > 0)
            throw new GoogleError(409, "conflict", "The bucket you tried to delete is not empty.");
        buckets.TryRemove(name, out _);
        request.Context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private static Task DeleteAsync(GoogleRequest request, GoogleBucket bucket, string name)
    {
        bucket.Delete(name, Conditions.Of(request));
        request.Context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private async Task PatchAsync(GoogleRequest request, GoogleBucket bucket, string name)
    {
        var change = await Json.ReadAsync(request);
        var conditions = Conditions.Of(request);
        GoogleObject changed;
        lock (bucket.Lock)
        {
            var there = bucket.Find(name) is { } found && conditions.IsGeneration(found) ? found : throw GoogleError.NoObject(bucket.Name, name);
            changed = bucket.Put(name, conditions, _ => there with
            {
                Metageneration = there.Metageneration + 1,
                Updated = DateTimeOffset.UtcNow,
                ContentType = change.TryGetProperty("contentType", out var type) ? type.GetString() ?? "" : there.ContentType,
                Metadata = Json.Metadata(change, there.Metadata),
            });
        }
        await Json.SendAsync(request, changed.ToJson(emulator.Address));
    }

    private static Dictionary<string, object?> ToJson(GoogleBucket bucket) => new()
    {
        ["kind"] = "storage#bucket",
        ["id"] = bucket.Name,
        ["name"] = bucket.Name,
        ["projectNumber"] = "1",
        ["metageneration"] = "1",
        ["location"] = "US",
        ["locationType"] = "multi-region",
        ["storageClass"] = "STANDARD",
        ["timeCreated"] = GoogleObject.Time(bucket.Created),
        ["updated"] = GoogleObject.Time(bucket.Created),
        ["etag"] = "CAE=",
    };

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]\z")]
    private static partial Regex Name();
}
