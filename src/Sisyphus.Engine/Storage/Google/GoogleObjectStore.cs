using System.Net;
using System.Runtime.CompilerServices;
using Sisyphus.Engine.Google;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Google Cloud Storage by its JSON API (https://cloud.google.com/storage/docs/json_api).</summary>
internal sealed class GoogleObjectStore : IObjectStore
{
    private const string ProjectVariable = "GOOGLE_CLOUD_PROJECT";

    private readonly GoogleConnection _connection;
    private readonly Func<CancellationToken, ValueTask<string?>> _project;
    private readonly GoogleUpload _upload;
    private readonly GoogleRead _read;
    private readonly GoogleCopy _copy;
    private readonly DirectoryMarkers? _markers;

    private GoogleObjectStore(GoogleConnection connection, int chunkSize, Func<CancellationToken, ValueTask<string?>> project, bool markers)
    {
        _connection = connection;
        _project = project;
        _upload = new GoogleUpload(connection, chunkSize);
        _read = new GoogleRead(connection);
        _copy = new GoogleCopy(connection);
        _markers = markers ? new DirectoryMarkers(connection, _upload) : null;
    }

    public string Name => _connection.Endpoint.Name;

    public bool MakesBuckets => false;

    /// <param name="location">Options: <c>project</c> (whose buckets are listed), <c>user-project</c> (pays for requests), <c>endpoint</c>, <c>directory-markers</c>.</param>
    /// <exception cref="FormatException">An option that there is not, or a value that can't be.</exception>
    public static IObjectStore Open(StoreLocation location, StoreParts parts) =>
        Open(location, parts, GoogleEndpoint.Find(location, parts.Variable) is { WantsCredentials: true } ? GoogleCredentials.Default : null, GoogleUpload.DefaultChunkSize);

    /// <param name="credentials">Null: the service is not told who we are.</param>
    internal static GoogleObjectStore Open(StoreLocation location, StoreParts parts, GoogleCredentials? credentials, int chunkSize)
    {
        location.Allow("project", "user-project", "endpoint", "directory-markers");
        if (location.Account.Length > 0)
            throw new FormatException($"'{location}': a gs: location has no account; write gs: for all buckets, gs://BUCKET for one.");
        var connection = new GoogleConnection(GoogleEndpoint.Find(location, parts.Variable), credentials, location.Option("user-project"), parts);
        return new GoogleObjectStore(connection, chunkSize, FindProjectAsync, location.Flag("directory-markers"));

        ValueTask<string?> FindProjectAsync(CancellationToken cancellationToken) => location.Option("project") is { Length: > 0 } project
            ? ValueTask.FromResult<string?>(project)
            : credentials?.GetProjectIdAsync(cancellationToken) ?? ValueTask.FromResult(parts.Variable(ProjectVariable));
    }

    public async IAsyncEnumerable<string> ListBucketsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var project = await ProjectAsync(cancellationToken).ConfigureAwait(false);
        var action = $"list the buckets of the project '{project}'";
        for (string? page = ""; page is not null;)
        {
            var path = $"/storage/v1/b?project={GoogleNames.Encode(project)}&fields=nextPageToken,items(name)&pageToken={GoogleNames.Encode(page)}";
            var answer = await _connection.SendAsync(new GoogleRequest(HttpMethod.Get, path, action), sent => sent.Read(GoogleJson.Default.BucketPage, action), cancellationToken).ConfigureAwait(false);
            foreach (var bucket in answer.Items ?? [])
                yield return bucket.Name ?? "";
            page = Next(page, answer.NextPageToken, action);
        }
    }

    // Not the bucket's own properties: who may read objects need not have the right to see those.
    public async Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!GoogleNames.IsBucket(bucket))
            return false;
        var request = new GoogleRequest(HttpMethod.Get, $"/storage/v1/b/{GoogleNames.Encode(bucket)}/o?maxResults=1&fields=nextPageToken", $"look into the bucket '{bucket}' of {Name}") { Expected = [404] };
        return await _connection.SendAsync(request, answer => answer.Status != HttpStatusCode.NotFound, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RequireBucket(bucket);
        var action = prefix.Length > 0 ? $"list {bucket}:{prefix}" : $"list bucket '{bucket}'";
        for (string? page = ""; page is not null;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = $"/storage/v1/b/{GoogleNames.Encode(bucket)}/o?prefix={GoogleNames.Encode(prefix)}&maxResults=1000&fields=nextPageToken,items({ObjectResource.Fields})&pageToken={GoogleNames.Encode(page)}";
            var answer = await _connection.SendAsync(
                new GoogleRequest(HttpMethod.Get, path, action) { Expected = [404] },
                sent => sent.Status == HttpStatusCode.NotFound ? throw StoreFailures.MissingBucket(bucket, Name) : sent.Read(GoogleJson.Default.ObjectPage, action),
                cancellationToken).ConfigureAwait(false);
            foreach (var resource in answer.Items ?? [])
                yield return GoogleObjects.ToInfo(resource, bucket);
            page = Next(page, answer.NextPageToken, action);
        }
    }

    public async Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!GoogleNames.CanBe(bucket, key))
            return null;
        var request = new GoogleRequest(HttpMethod.Get, $"{GoogleObjects.PathOf(bucket, key)}?fields={ObjectResource.Fields}", $"look at {bucket}:{key}") { Expected = [404] };
        return await _connection.SendAsync(request, answer => answer.Status == HttpStatusCode.NotFound ? null : answer.ReadObject(bucket, request.Action), cancellationToken).ConfigureAwait(false);
    }

    public async Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, info.Size);
        var wanted = length ?? info.Size - offset;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wanted, info.Size - offset);
        RequireBucket(info.Bucket);
        // A range of no bytes can't be asked for; the object has to be there all the same.
        var stream = wanted > 0
            ? await _read.OpenAsync(info, offset, wanted, cancellationToken).ConfigureAwait(false)
            : (await StatAsync(info.Bucket, info.Key, cancellationToken).ConfigureAwait(false))?.Generation == info.Generation ? Stream.Null : null;
        return stream ?? throw await GoneAsync(info, cancellationToken).ConfigureAwait(false);
    }

    public async Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        await PrepareAsync(bucket, key, cancellationToken).ConfigureAwait(false);
        return await _upload.PutAsync(bucket, key, content, state, cancellationToken).ConfigureAwait(false);
    }

    public async Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await PrepareAsync(bucket, key, cancellationToken).ConfigureAwait(false);
        var tries = 0;
        return await _connection.Parts.Requests.RunAsync(
            async () =>
            {
                tries++;
                if (await _upload.TryPutWholeAsync(bucket, key, content, GoogleUpload.NoGeneration, cancellationToken).ConfigureAwait(false) is { } created)
                    return created;
                // It may be what an earlier try of ours has made, whose answer was lost.
                return tries > 1 && await StatAsync(bucket, key, cancellationToken).ConfigureAwait(false) is { } standing && await HoldsAsync(standing, content, cancellationToken).ConfigureAwait(false) ? standing : null;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireBucket(standing.Bucket);
        return _connection.Parts.Requests.RunAsync(() => _upload.TryPutWholeAsync(standing.Bucket, standing.Key, content, standing.Generation, cancellationToken), cancellationToken);
    }

    public async Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken)
    {
        await PrepareAsync(source.Bucket, destinationKey, cancellationToken).ConfigureAwait(false);
        return await _copy.RunAsync(source, destinationKey, cancellationToken).ConfigureAwait(false) ?? throw await GoneAsync(source, cancellationToken).ConfigureAwait(false);
    }

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequireBucket(bucket);
        foreach (var key in keys)
            GoogleNames.RequireKey(bucket, key);
        return Task.CompletedTask;
    }

    public async Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!GoogleNames.CanBe(bucket, key))
            return;
        var request = new GoogleRequest(HttpMethod.Delete, GoogleObjects.PathOf(bucket, key), $"delete {bucket}:{key}") { Expected = [404] };
        await _connection.SendAsync(request, answer => answer.Status, cancellationToken).ConfigureAwait(false);
    }

    private async Task PrepareAsync(string bucket, string key, CancellationToken cancellationToken)
    {
        RequireBucket(bucket);
        GoogleNames.RequireKey(bucket, key);
        if (_markers is not null)
            await _markers.WriteAsync(bucket, key, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> HoldsAsync(ObjectInfo info, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (info.Size != content.Length)
            return false;
        var stored = new byte[content.Length];
        var stream = await OpenReadAsync(info, 0, null, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
            await stream.ReadExactlyAsync(stored, cancellationToken).ConfigureAwait(false);
        return content.Span.SequenceEqual(stored);
    }

    private async Task<string> ProjectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _project(cancellationToken).ConfigureAwait(false)
                ?? throw new TaskFailureException(FailureReason.InputMissing, $"Buckets of Google Cloud Storage are listed by project, and none is known: set {ProjectVariable}, or write gs:?project=PROJECT.");
        }
        catch (GoogleCredentialsException e)
        {
            throw GoogleConnection.ToFailure(e, $"list the buckets of {Name}");
        }
    }

    /// <summary>Why a generation that was there is not: it was replaced or deleted, or the bucket was.</summary>
    private async Task<TaskFailureException> GoneAsync(ObjectInfo info, CancellationToken cancellationToken)
    {
        if (await StatAsync(info.Bucket, info.Key, cancellationToken).ConfigureAwait(false) is not null)
            return StoreFailures.Changed($"{info.Bucket}:{info.Key}");
        return await BucketExistsAsync(info.Bucket, cancellationToken).ConfigureAwait(false) ? StoreFailures.Missing($"{info.Bucket}:{info.Key}") : StoreFailures.MissingBucket(info.Bucket, Name);
    }

    // A page that leads to itself would never end.
    private static string? Next(string page, string? next, string action) => string.IsNullOrEmpty(next) ? null
        : next != page ? next : throw new TaskFailureException(FailureReason.TransferFailed, $"Can't {action}: the service gives the same page again and again.");

    private void RequireBucket(string bucket)
    {
        if (!GoogleNames.IsBucket(bucket))
            throw StoreFailures.MissingBucket(bucket, Name);
    }
}
