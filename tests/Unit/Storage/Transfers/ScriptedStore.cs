using Sisyphus.Engine.Storage;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>A store with one object, whose reads go as the test says: nth opening, offset → stream.</summary>
internal sealed class ScriptedStore(Func<int, long, Stream> open, Func<Task>? before = null) : IObjectStore
{
    public int Opened { get; private set; }

    public List<long> Offsets { get; } = [];

    public string Name => "scripted://";

    public async Task<Stream> OpenReadAsync(ObjectInfo info, long offset, CancellationToken cancellationToken)
    {
        Offsets.Add(offset);
        await (before?.Invoke() ?? Task.CompletedTask);
        return open(++Opened, offset);
    }

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => throw new NotSupportedException();
}
