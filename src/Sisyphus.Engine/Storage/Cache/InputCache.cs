using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Cache;

/// <summary>Keeps generations of objects as local files that attempts share. Bounded; what was used least recently goes first, never what is leased.</summary>
internal sealed class InputCache
{
    private readonly InputCacheOptions _options;
    private readonly Download _download;
    private readonly CacheFolder _folder;
    private readonly SharedFetches _fetches = new();
    private readonly Lock _shrinking = new();
    private long _bytes = -1;

    public InputCache(InputCacheOptions options, TransferScheduler scheduler)
    {
        options.Validate();
        _options = options;
        _download = new Download(scheduler);
        _folder = new CacheFolder(options.Folder, (scheduler.Time.GetUtcNow() - TimeSpan.FromMilliseconds(Environment.TickCount64)).UtcDateTime);
    }

    /// <summary>The object as a local file, fetched unless it is there. Callers that want the same one at the same time share one transfer.</summary>
    /// <exception cref="TaskFailureException">As <see cref="Download.ToFileAsync"/>.</exception>
    public Task<CacheLease> FetchAsync(IObjectStore store, ObjectInfo info, TransferMeter meter, CancellationToken cancellationToken) =>
        FetchAsync(store, info, null, meter, cancellationToken);

    /// <summary>As the other one, and verified against a declared checksum.</summary>
    /// <param name="sha256">64 lower-case hexadecimal digits, or null.</param>
    public async Task<CacheLease> FetchAsync(IObjectStore store, ObjectInfo info, string? sha256, TransferMeter meter, CancellationToken cancellationToken)
    {
        var entry = CacheEntry.FolderName(store, info, sha256);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var fetched = false;
            var lease = _folder.TryLease(entry) ?? await _fetches.RunAsync(
                entry,
                token =>
                {
                    fetched = true;
                    return FetchAsync(new DownloadItem(store, info, _folder.NewUnfinishedPath(), sha256), entry, meter, token);
                },
                () => _folder.TryLease(entry),
                cancellationToken).ConfigureAwait(false);
            if (lease is null)
                continue; // Evicted by another process before anybody could hold it.
            if (!fetched)
                meter.Skipped(lease.Sums.Size);
            return lease;
        }
    }

    /// <summary>Makes <paramref name="path"/> another name of the cached file, or a copy where that is impossible. Read-only: changing it would change the cache.</summary>
    public async Task<ContentSums> PlaceAsync(IObjectStore store, ObjectInfo info, string path, TransferMeter meter, CancellationToken cancellationToken)
    {
        using var lease = await FetchAsync(store, info, meter, cancellationToken).ConfigureAwait(false);
        try
        {
            if (OperatingSystem.IsWindows() || Directories.UnixNative.Link(lease.Path, path) != 0)
                File.Copy(lease.Path, path);
            return lease.Sums;
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromLocalIO(e, $"write '{path}' ({info.Bucket}:{info.Key})");
        }
    }

    private async Task<CacheLease?> FetchAsync(DownloadItem item, string entry, TransferMeter meter, CancellationToken cancellationToken)
    {
        try
        {
            var sums = await ReceiveAsync(item, meter, cancellationToken).ConfigureAwait(false);
            var lease = _folder.Publish(item.Path, entry, sums);
            Account(sums.Size);
            return lease;
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            File.Delete(item.Path);
            throw StoreFailures.FromLocalIO(e, $"write '{item.Path}' ({item.Object.Bucket}:{item.Object.Key})");
        }
    }

    private async Task<ContentSums> ReceiveAsync(DownloadItem item, TransferMeter meter, CancellationToken cancellationToken)
    {
        try
        {
            return await _download.ToFileAsync(item, meter, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException e) when (e.Reason == FailureReason.DiskFull)
        {
            // A cache must not be why the disk is full: once more without it.
            lock (_shrinking)
                _bytes = _folder.Shrink(0);
            return await _download.ToFileAsync(item, meter, cancellationToken).ConfigureAwait(false);
        }
    }

    private void Account(long added)
    {
        lock (_shrinking)
        {
            // The first time, and then only when full: counting means to walk the folder.
            if (_bytes < 0 || (_bytes += added) > _options.MaxBytes)
                _bytes = _folder.Shrink(_options.MaxBytes);
        }
    }
}
