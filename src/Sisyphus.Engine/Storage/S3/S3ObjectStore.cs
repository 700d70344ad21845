using System.Runtime.CompilerServices;
using Amazon.S3.Model;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>AWS S3 and servers that speak its protocol. See docs/stores.md.</summary>
internal sealed class S3ObjectStore : IObjectStore
{
    private readonly S3Connection _connection;
    private readonly S3Limits _limits;

    public S3ObjectStore(S3Settings settings, StoreParts parts, S3Limits? limits = null, HttpClient? http = null)
    {
        _connection = new S3Connection(settings, parts, http);
        _limits = limits ?? S3Limits.Default;
    }

    public string Name => _connection.Settings.Name;

    public bool MakesBuckets => false;

    /// <exception cref="FormatException"/>
    public static IObjectStore Open(StoreLocation location, StoreParts parts) => new S3ObjectStore(S3Settings.Of(location, parts), parts);

    public async IAsyncEnumerable<string> ListBucketsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var names = new List<string>();
        string? continuation = null;
        do
        {
            var page = await _connection.SendAsync(default, "list the buckets of", (client, watch) => client.ListBucketsAsync(new ListBucketsRequest { ContinuationToken = continuation }, watch.Token), cancellationToken).ConfigureAwait(false);
            names.AddRange((page.Buckets ?? []).Select(bucket => bucket.BucketName));
            continuation = page.ContinuationToken;
        }
        while (!string.IsNullOrEmpty(continuation));
        names.Sort(StringComparer.Ordinal);
        foreach (var name in names)
            yield return name;
    }

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) =>
        S3Names.IsBucket(bucket) ? new S3Listing(_connection).CanListAsync(bucket, cancellationToken) : Task.FromResult(false);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken)
    {
        Require(bucket);
        return new S3Listing(_connection).EnumerateAsync(bucket, prefix, cancellationToken);
    }

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) =>
        S3Names.IsBucket(bucket) && S3Names.IsKey(key)
            ? new S3Read(_connection).StatAsync(new S3Target(bucket, key), null, cancellationToken)
            : Task.FromResult<ObjectInfo?>(null);

    public async Task<ObjectInfo> WithChecksumAsync(ObjectInfo info, CancellationToken cancellationToken)
    {
        if (info.Crc32C is not null)
            return info;
        var pinned = S3Generation.Parse(info.Generation);
        // Of another one that is there by now it would be wrong; whoever reads finds that out.
        return await new S3Read(_connection).StatAsync(new S3Target(info.Bucket, info.Key), pinned.Version, cancellationToken).ConfigureAwait(false) is { } there && S3Generation.Parse(there.Generation).ETag == pinned.ETag
            ? info with { Crc32C = there.Crc32C }
            : info;
    }

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, info.Size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length ?? 0, info.Size - offset);
        Require(info.Bucket);
        return new S3Read(_connection).OpenAsync(info, offset, length ?? info.Size - offset, cancellationToken);
    }

    public Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken) =>
        new S3Upload(_connection, _limits, Target(bucket, key), state).PutAsync(content, cancellationToken);

    public Task<bool> CreatesExclusivelyAsync(string bucket, CancellationToken cancellationToken)
    {
        Require(bucket);
        return new S3Marker(_connection).IsExclusiveAsync(bucket, cancellationToken);
    }

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        new S3Marker(_connection).CreateAsync(Target(bucket, key), content, cancellationToken);

    public Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        new S3Marker(_connection).ReplaceAsync(Target(standing.Bucket, standing.Key), S3Generation.Parse(standing.Generation), content, cancellationToken);

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) =>
        new S3Copy(_connection, _limits).RunAsync(source, Target(source.Bucket, destinationKey), cancellationToken);

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        foreach (var key in keys)
            _ = Target(bucket, key);
        return Task.CompletedTask;
    }

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) =>
        S3Names.IsBucket(bucket) && S3Names.IsKey(key) ? _connection.DeleteAsync(new S3Target(bucket, key), null, cancellationToken) : Task.CompletedTask;

    private S3Target Target(string bucket, string key)
    {
        Require(bucket);
        S3Names.Check(bucket, key);
        return new S3Target(bucket, key);
    }

    private void Require(string bucket)
    {
        if (!S3Names.IsBucket(bucket))
            throw StoreFailures.MissingBucket(bucket, Name);
    }
}
