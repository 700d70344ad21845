using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <param name="Path">File that is made or replaced.</param>
/// <param name="Sha256">What the content has to be: 64 lower-case hexadecimal digits; null where nobody has said.</param>
internal sealed record DownloadItem(IObjectStore Store, ObjectInfo Object, string Path, string? Sha256 = null)
{
    /// <summary>Parts that come one by one are of one content, or it is found out.</summary>
    public bool IsPinned => Object.Generation != ObjectInfo.UnknownGeneration || Sha256 is not null;

    /// <summary>What broke may be gone on with where it broke.</summary>
    public bool CanGoOn => IsPinned && Object.Size != ObjectInfo.UnknownSize;
}

/// <summary>Objects to local files: verified, resumed where a connection broke, a large one in several ranges at a time.</summary>
internal sealed class Download(TransferScheduler scheduler)
{
    // A bit that flips on the way is seldom, and once more costs less than a failed attempt.
    private const int Tries = 2;

    /// <summary>Copies one object. A failure leaves no file.</summary>
    /// <exception cref="TaskFailureException">With the store's reason; <see cref="FailureReason.DiskFull"/> or <see cref="FailureReason.TransferFailed"/> for the local side; <see cref="FailureReason.InputCorrupt"/> when length or checksum are wrong.</exception>
    public async Task<ContentSums> ToFileAsync(DownloadItem item, TransferMeter meter, CancellationToken cancellationToken)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(item.Path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw Local(item, e);
        }
        var tally = new TransferTally(meter, expects: item.Object.Size == ObjectInfo.UnknownSize);
        var complete = false;
        try
        {
            ContentSums sums;
            using (file)
                sums = await ReceiveAsync(item, file, tally, cancellationToken).ConfigureAwait(false);
            complete = true;
            meter.Finished();
            return sums;
        }
        finally
        {
            if (!complete)
            {
                tally.TakeBack();
                File.Delete(item.Path);
            }
        }
    }

    private async Task<ContentSums> ReceiveAsync(DownloadItem item, SafeFileHandle file, TransferTally tally, CancellationToken cancellationToken)
    {
        if (item.Object.Crc32C is null)
            item = item with { Object = await scheduler.Retry.RunAsync(() => scheduler.MoveAsync(() => item.Store.WithChecksumAsync(item.Object, cancellationToken), cancellationToken), cancellationToken).ConfigureAwait(false) };
        for (var tries = 1; ; tries++)
        {
            var sums = item.Object.HasRanges && item.IsPinned && item.Object.Size > scheduler.Options.RangeSize
                ? await ReceiveRangesAsync(item, file, tally, cancellationToken).ConfigureAwait(false)
                : await ReceiveWholeAsync(item, file, tally, cancellationToken).ConfigureAwait(false);
            var damage = Damage(item.Object, sums);
            if (damage is null && (item.Sha256 is null || item.Sha256 == sums.Sha256))
                return sums;
            if (tries == Tries)
                throw damage is null ? OtherContent(item, sums) : new TaskFailureException(FailureReason.InputCorrupt, $"{item.Object.Bucket}:{item.Object.Key} arrived damaged: {damage}.");
            tally.TakeBack();
            RandomAccess.SetLength(file, 0);
        }
    }

    // It is what is there, twice over: another attempt would find the same.
    private static TaskFailureException OtherContent(DownloadItem item, ContentSums sums) => new(
        FailureReason.InputCorrupt, $"{item.Object.Bucket}:{item.Object.Key} is not what the document declares: its sha256 is {sums.Sha256} instead of {item.Sha256}.") { IsRetryable = false };

    private async Task<ContentSums> ReceiveWholeAsync(DownloadItem item, SafeFileHandle file, TransferTally tally, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            using var hash = new ContentHash();
            try
            {
                await new RangeDownload(scheduler, item, tally).RunAsync(file, 0, null, bytes => hash.Append(bytes), cancellationToken).ConfigureAwait(false);
                return hash.Current;
            }
            catch (TaskFailureException e) when (!item.CanGoOn && hash.Current.Size > 0 && failures < scheduler.Options.Attempts && Retry.IsWorthwhile(e))
            {
                // What follows may be of another content, or can't be asked for: from the beginning.
                tally.TakeBack();
                RandomAccess.SetLength(file, 0);
                await scheduler.Retry.PauseAsync(failures, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The ranges arrive in any order; their bytes are hashed in the order of the object, out of the file, as soon as all before them are there.</summary>
    private async Task<ContentSums> ReceiveRangesAsync(DownloadItem item, SafeFileHandle file, TransferTally tally, CancellationToken cancellationToken)
    {
        var (size, step) = (item.Object.Size, scheduler.Options.RangeSize);
        using var hash = new FileHash(file, Local);
        await Parallel.ForEachAsync(Ranges(), scheduler.Parallelism(cancellationToken), async (offset, token) =>
        {
            var length = Math.Min(step, size - offset);
            await new RangeDownload(scheduler, item, tally).RunAsync(file, offset, length, null, token).ConfigureAwait(false);
            await hash.ArrivedAsync(offset, length, token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return hash.Current;

        IEnumerable<long> Ranges()
        {
            for (var offset = 0L; offset < size; offset += step)
                yield return offset;
        }

        TaskFailureException Local(Exception cause) => Download.Local(item, cause);
    }

    private static string? Damage(ObjectInfo expected, ContentSums sums)
    {
        if (expected.Size != ObjectInfo.UnknownSize && sums.Size != expected.Size)
            return $"{sums.Size} bytes came instead of {expected.Size}";
        return expected.Crc32C is { } crc && crc != sums.Crc32C ? $"CRC-32C is {Crc32C.ToText(sums.Crc32C)} instead of {Crc32C.ToText(crc)}" : null;
    }

    internal static TaskFailureException Local(DownloadItem item, Exception cause) =>
        StoreFailures.FromLocalIO(cause, $"write '{item.Path}' ({item.Object.Bucket}:{item.Object.Key})");
}
