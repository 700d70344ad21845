using System.Runtime.CompilerServices;
using Sisyphus.Engine.Storage;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>When a call of a <see cref="FaultyStore"/> fails.</summary>
internal enum Fault
{
    None,
    /// <summary>Nothing was done.</summary>
    Before,
    /// <summary>It was done, and the answer got lost.</summary>
    After,
}

/// <summary>A store whose calls, numbered from 1, fail where the test says.</summary>
internal sealed class FaultyStore(IObjectStore inner, Func<int, Fault> decide, Func<Exception> error) : IObjectStore
{
    private int _calls;

    public int Calls => _calls;

    public string Name => inner.Name;

    public IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken) => inner.ListBucketsAsync(cancellationToken);

    public Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken) => RunAsync(() => inner.BucketExistsAsync(bucket, cancellationToken));

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var info in await RunAsync(async () => await inner.ListAsync(bucket, prefix, cancellationToken).ToListAsync(cancellationToken)))
            yield return info;
    }

    public Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken) => RunAsync(() => inner.StatAsync(bucket, key, cancellationToken));

    public Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken) => RunAsync(() => inner.OpenReadAsync(info, offset, length, cancellationToken));

    public Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken) => RunAsync(() => inner.PutAsync(bucket, key, content, state, cancellationToken));

    public Task<bool> CreatesExclusivelyAsync(string bucket, CancellationToken cancellationToken) => RunAsync(() => inner.CreatesExclusivelyAsync(bucket, cancellationToken));

    public Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => RunAsync(() => inner.CreateIfAbsentAsync(bucket, key, content, cancellationToken));

    public Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => RunAsync(() => inner.ReplaceAsync(standing, content, cancellationToken));

    public Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken) => RunAsync(() => inner.CopyAsync(source, destinationKey, cancellationToken));

    public Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await inner.CheckWritableAsync(bucket, keys, cancellationToken);
        return true;
    });

    public Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken) => RunAsync(async () =>
    {
        await inner.DeleteAsync(bucket, key, cancellationToken);
        return true;
    });

    private async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        var fault = decide(Interlocked.Increment(ref _calls));
        if (fault == Fault.Before)
            throw error();
        var result = await call();
        return fault == Fault.After ? throw error() : result;
    }
}
