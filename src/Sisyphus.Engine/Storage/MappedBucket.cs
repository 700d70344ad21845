using System.Runtime.CompilerServices;

namespace Sisyphus.Engine.Storage;

/// <summary>A bucket under another name, or a part of one as a bucket of its own: what a mapping such as <c>results → gs://lab/results/</c> makes.</summary>
/// <param name="alias">The bucket's name in documents.</param>
/// <param name="prefix">Empty, or with a trailing <c>/</c>.</param>
internal sealed class MappedBucket(IObjectStore inner, string alias, string bucket, string prefix) : IObjectStore
{
    /// <summary>With the service's own options, by which two that have the same bucket differ.</summary>
    public string Name { get; } = NameOf(inner.Name, $"{bucket}/{prefix}");

    public bool MakesBuckets => inner.MakesBuckets;

    public async IAsyncEnumerable<string> ListBucketsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await inner.BucketExistsAsync(bucket, cancellationToken).ConfigureAwait(false))
            yield return alias;
    }

    public Task<bool> BucketExistsAsync(string name, CancellationToken cancellationToken) =>
        name == alias ? inner.BucketExistsAsync(bucket, cancellationToken) : Task.FromResult(false);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string name, string start, CancellationToken cancellationToken)
    {
        Require(name);
        return inner.ListAsync(bucket, prefix + start, cancellationToken).Where(info => info.Key.Length > prefix.Length).Select(Outside);
    }

    public async Task<ObjectInfo?> StatAsync(string name, string key, CancellationToken cancellationToken) =>
        name == alias && await inner.StatAsync(bucket, prefix + key, cancellationToken).ConfigureAwait(false) is { } info ? Outside(info) : null;

    public async Task<ObjectInfo> WithChecksumAsync(ObjectInfo info, CancellationToken cancellationToken) =>
        Outside(await inner.WithChecksumAsync(Inside(info), cancellationToken).ConfigureAwait(false));

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) =>
        inner.OpenReadAsync(Inside(info), offset, length, cancellationToken);

    public async Task<ObjectInfo> PutAsync(string name, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        Require(name);
        return Outside(await inner.PutAsync(bucket, Inside(key), content, state, cancellationToken).ConfigureAwait(false));
    }

    public Task<bool> CreatesExclusivelyAsync(string name, CancellationToken cancellationToken)
    {
        Require(name);
        return inner.CreatesExclusivelyAsync(bucket, cancellationToken);
    }

    public async Task<ObjectInfo?> CreateIfAbsentAsync(string name, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Require(name);
        return await inner.CreateIfAbsentAsync(bucket, Inside(key), content, cancellationToken).ConfigureAwait(false) is { } info ? Outside(info) : null;
    }

    public async Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await inner.ReplaceAsync(Inside(standing), content, cancellationToken).ConfigureAwait(false) is { } info ? Outside(info) : null;

    public async Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) =>
        Outside(await inner.CopyAsync(Inside(source), Inside(destinationKey), cancellationToken).ConfigureAwait(false));

    public Task CheckWritableAsync(string name, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        Require(name);
        return inner.CheckWritableAsync(bucket, [.. keys.Select(Inside)], cancellationToken);
    }

    public string PlaceOf(string name, string key) => inner.PlaceOf(bucket, Inside(key));

    public Task DeleteAsync(string name, string key, CancellationToken cancellationToken) =>
        name == alias ? inner.DeleteAsync(bucket, Inside(key), cancellationToken) : Task.CompletedTask;

    private static string NameOf(string service, string bucket)
    {
        var options = service.IndexOf('?', StringComparison.Ordinal) is var at and >= 0 ? service[at..] : "";
        var address = service[..^options.Length];
        return $"{address}{(address.EndsWith('/') ? "" : "/")}{bucket}{options}";
    }

    private void Require(string name)
    {
        if (name != alias)
            throw StoreFailures.MissingBucket(name, Name);
    }

    private string Inside(string key) => key.Length == 0 ? key : prefix + key;

    private ObjectInfo Inside(ObjectInfo info)
    {
        Require(info.Bucket);
        return info with { Bucket = bucket, Key = Inside(info.Key) };
    }

    private ObjectInfo Outside(ObjectInfo info) => info with { Bucket = alias, Key = info.Key[prefix.Length..] };
}
