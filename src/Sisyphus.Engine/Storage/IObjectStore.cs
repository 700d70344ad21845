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

    /// <summary>Writing to a bucket that is not there makes it.</summary>
    bool MakesBuckets => true;

    /// <summary>Names of the buckets, in ordinal order.</summary>
    IAsyncEnumerable<string> ListBucketsAsync(CancellationToken cancellationToken);

    /// <summary>Whether the bucket is there and may be read.</summary>
    Task<bool> BucketExistsAsync(string bucket, CancellationToken cancellationToken);

    /// <summary>Every object whose key starts with <paramref name="prefix"/> (empty: all), in ordinal order of the keys' UTF-8 bytes. Empty when the bucket has none; fails when there is no bucket.</summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string bucket, string prefix, CancellationToken cancellationToken);

    /// <summary>The object, or null when there is none (also when there is no bucket).</summary>
    Task<ObjectInfo?> StatAsync(string bucket, string key, CancellationToken cancellationToken);

    /// <summary>The same object with its checksum, where lists do not tell it and the store knows it.</summary>
    Task<ObjectInfo> WithChecksumAsync(ObjectInfo info, CancellationToken cancellationToken) => Task.FromResult(info);

    /// <summary>Opens bytes of exactly the generation that <paramref name="info"/> names: what comes is that generation's. When the object is another one meanwhile, the read either ends with the old bytes or fails with <see cref="FailureReason.InputCorrupt"/>, at the latest at the end of the stream.</summary>
    /// <remarks>
    /// Reading the stream fails as a store's call does, with a <see cref="TaskFailureException"/> and with nothing else but the caller's own cancellation: <see cref="FailureReason.TransferFailed"/>, retryable, when the connection breaks,
    /// ends before all has come, or brings nothing for <see cref="Transfers.TransferOptions.StallTimeout"/> (of a folder, as long as the operating system waits for its disk). So it needs no watch, and what came is gone on after by opening the rest.
    /// </remarks>
    /// <param name="offset">0 to the object's size.</param>
    /// <param name="length">Bytes, no more than there are; null for all that follow.</param>
    Task<Stream> OpenReadAsync(ObjectInfo info, long offset, long? length, CancellationToken cancellationToken);

    /// <summary>Writes or replaces an object; readers see the old content or the new, never a part. The bucket is created where the store's rules allow it.</summary>
    /// <param name="content">Read from its position to its end, once and in order.</param>
    /// <param name="state">Where an upload that broke goes on: what the store has already is read and not sent again. Null: it begins at the beginning.</param>
    /// <returns>The object as stored, always with its checksum: of the bytes as they were received.</returns>
    Task<ObjectInfo> PutAsync(string bucket, string key, Stream content, UploadState? state, CancellationToken cancellationToken);

    /// <summary>Whether <see cref="CreateIfAbsentAsync"/> keeps its promise here. A service that ignores conditions is found out by asking it, once an endpoint.</summary>
    Task<bool> CreatesExclusivelyAsync(string bucket, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <summary>Writes a small object unless the key exists: of any number of callers exactly one wins.</summary>
    /// <returns>The new object, or null when the key existed already.</returns>
    Task<ObjectInfo?> CreateIfAbsentAsync(string bucket, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Writes a small object in the place of exactly this generation. Where the service can't promise that (folders, or <see cref="CreatesExclusivelyAsync"/> is false), it is looked at right before.</summary>
    /// <returns>The new object, or null when another one stands there, or none: it may be what this very call has written, when only the answer was lost.</returns>
    async Task<ObjectInfo?> ReplaceAsync(ObjectInfo standing, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (await StatAsync(standing.Bucket, standing.Key, cancellationToken).ConfigureAwait(false) is not { } there || there.Generation != standing.Generation)
            return null;
        using var stream = new MemoryStream(content.ToArray(), writable: false);
        return await PutAsync(standing.Bucket, standing.Key, stream, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Copies inside the store, without moving bytes through this process where the store can; replaces <paramref name="destinationKey"/> atomically.</summary>
    Task<ObjectInfo> CopyAsync(ObjectInfo source, string destinationKey, CancellationToken cancellationToken);

    /// <summary>Fails, as writing these keys together would, where that can be known without writing: a store of folders can't hold <c>a</c> beside <c>a/b</c>.</summary>
    Task CheckWritableAsync(string bucket, IReadOnlyList<string> keys, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Where the object really is: the same for two that are one, by whatever names of buckets they are called.</summary>
    string PlaceOf(string bucket, string key) => $"{Name}/{bucket}:{key}";

    /// <summary>Deletes the object; no error when it is not there.</summary>
    Task DeleteAsync(string bucket, string key, CancellationToken cancellationToken);
}
