using Sisyphus.Engine.Storage;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>Tells the test of every object that is about to be written, which may throw.</summary>
internal sealed class CountingStore(IObjectStore inner, Action<string> writing) : IObjectStore
{
    public string Name => inner.Name;

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => inner.ListBucketsAsync(cancellationToken);

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => inner.BucketExistsAsync(bucket, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken) => inner.ListAsync(bucket, prefix, cancellationToken);

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) => inner.StatAsync(bucket, key, cancellationToken);

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) => inner.OpenReadAsync(info, offset, length, cancellationToken);

    public Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        writing(key);
        return inner.PutAsync(bucket, key, content, state, cancellationToken);
    }

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        writing(key);
        return inner.CreateIfAbsentAsync(bucket, key, content, cancellationToken);
    }

    public Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        writing(standing.Key);
        return inner.ReplaceAsync(standing, content, cancellationToken);
    }

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => inner.CopyAsync(source, destinationKey, cancellationToken);

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => inner.DeleteAsync(bucket, key, cancellationToken);
}
