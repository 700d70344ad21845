using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>Buckets of objects. What the engine asks of any store, and nothing more; every implementation passes one contract suite.</summary>
/// <remarks>
/// Failures are <see cref="TaskFailureException"/>s with the reason <see cref="FailureReason.InputMissing"/> (no such object or bucket),
/// <see cref="FailureReason.InputDenied"/> (no permission), <see cref="FailureReason.InputCorrupt"/> (changed while read, checksum),
/// <see cref="FailureReason.DiskFull"/> or <see cref="FailureReason.TransferFailed"/>; the message names the object as <c>bucket:key</c>.
/// Keys are any non-empty Unicode text of up to 1,024 bytes in UTF-8.
/// </remarks>
public interface IObjectStore
{
    /// <summary>The store as a user would write it, without secrets: <c>file:///srv/data</c>.</summary>
    string Name { get; }

    /// <summary>Names of the buckets, in ordinal order.</summary>
    IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken);

    /// <summary>Whether the bucket is there and may be read.</summary>
    Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken);

    /// <summary>Every object whose key starts with <paramref name="prefix"/> (empty: all), in ordinal order of the keys' UTF-8 bytes. Empty when the bucket has none; fails when there is no bucket.</summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken);

    /// <summary>The object, or null when there is none (also when there is no bucket).</summary>
    Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken);

    /// <summary>Opens the bytes from <paramref name="offset"/> of exactly the generation that <paramref name="info"/> names. A read after which the object is another generation fails with <see cref="FailureReason.InputCorrupt"/>, at the latest at the end of the stream.</summary>
    Task<Stream> OpenReadAsync(ObjectInfo info, long offset, CancellationToken cancellationToken);

    /// <summary>Writes or replaces an object; readers see the old content or the new, never a part. The bucket is created where the store's rules allow it.</summary>
    /// <param name="content">Read from its position to its end.</param>
    /// <returns>The object as stored, always with its checksum: of the bytes as they were received.</returns>
    Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, CancellationToken cancellationToken);

    /// <summary>Writes a small object unless the key exists: of any number of callers exactly one wins.</summary>
    /// <returns>The new object, or null when the key existed already.</returns>
    Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Copies inside the store, without moving bytes through this process where the store can; replaces <paramref name="destinationKey"/> atomically.</summary>
    Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken);

    /// <summary>Fails, as writing these keys together would, where that can be known without writing: a store of folders can't hold <c>a</c> beside <c>a/b</c>.</summary>
    Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Deletes the object; no error when it is not there.</summary>
    Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken);
}
