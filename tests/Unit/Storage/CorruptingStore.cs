using Sisyphus.Engine.Storage;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>A store that receives other bytes than were sent.</summary>
internal sealed class CorruptingStore(IObjectStore inner) : IObjectStore
{
    public string Name => inner.Name;

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => inner.ListBucketsAsync(cancellationToken);

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => inner.BucketExistsAsync(bucket, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken) => inner.ListAsync(bucket, prefix, cancellationToken);

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) => inner.StatAsync(bucket, key, cancellationToken);

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) => inner.OpenReadAsync(info, offset, length, cancellationToken);

    public async Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, cancellationToken);
        bytes.GetBuffer()[0] ^= 1;
        bytes.Position = 0;
        return await inner.PutAsync(bucket, key, bytes, state, cancellationToken);
    }

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.CreateIfAbsentAsync(bucket, key, content, cancellationToken);

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => inner.CopyAsync(source, destinationKey, cancellationToken);

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => inner.DeleteAsync(bucket, key, cancellationToken);
}
