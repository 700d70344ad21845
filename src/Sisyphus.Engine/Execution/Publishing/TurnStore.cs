using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>A store for the uploads of an attempt that decided directly: asks for its turn before each try and before each one's end.</summary>
/// <param name="size">Of the object that is uploaded.</param>
internal sealed class TurnStore(IObjectStore inner, long size, Turn turn) : IObjectStore
{
    public string Name => inner.Name;

    public async Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken)
    {
        await turn.RequireAsync(cancellationToken).ConfigureAwait(false);
        using var asking = new TurnStream(content, size, turn);
        return await inner.PutAsync(bucket, key, asking, state, cancellationToken).ConfigureAwait(false);
    }

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => inner.ListBucketsAsync(cancellationToken);

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => inner.BucketExistsAsync(bucket, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken) => inner.ListAsync(bucket, prefix, cancellationToken);

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) => inner.StatAsync(bucket, key, cancellationToken);

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) => inner.OpenReadAsync(info, offset, length, cancellationToken);

    public Task<bool> CreatesExclusivelyAsync(string bucket, CancellationToken cancellationToken) => inner.CreatesExclusivelyAsync(bucket, cancellationToken);

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.CreateIfAbsentAsync(bucket, key, content, cancellationToken);

    public Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.ReplaceAsync(standing, content, cancellationToken);

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => inner.CopyAsync(source, destinationKey, cancellationToken);

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken) => inner.CheckWritableAsync(bucket, keys, cancellationToken);

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => inner.DeleteAsync(bucket, key, cancellationToken);
}
