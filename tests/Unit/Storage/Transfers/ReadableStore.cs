using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>A store that can be read and nothing else.</summary>
internal abstract class ReadableStore : IObjectStore
{
    private static readonly StoreParts Parts = new() { Transfers = new TransferOptions { StallTimeout = TimeSpan.FromSeconds(1) } };

    public string Name => "scripted://";

    public abstract Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken);

    /// <summary>What comes from a connection, with what every store promises of it.</summary>
    protected static Stream Promised(Stream connection, ObjectInfo info, long offset, long? length) =>
        new ObjectContent(connection, length ?? (info.Size == ObjectInfo.UnknownSize ? null : info.Size - offset), $"{info.Bucket}:{info.Key}", Stream.Null, Parts);

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public virtual Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => throw new NotSupportedException();
}
