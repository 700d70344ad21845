using Microsoft.Win32.SafeHandles;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>A part of an object into its place in a file, over as many connections, one after the other, as it takes.</summary>
internal sealed class RangeDownload(TransferScheduler scheduler, DownloadItem item, TransferTally tally)
{
    /// <param name="length">Bytes; null for all that follow.</param>
    /// <param name="received">Told the bytes in order, once each.</param>
    /// <exception cref="TaskFailureException">Nothing moved any more for as many tries as the options allow, or it makes no sense to try again.</exception>
    public async Task RunAsync(SafeFileHandle file, long offset, long? length, StreamPump.Bytes? received, CancellationToken cancellationToken)
    {
        var wanted = length ?? (item.Object.Size == ObjectInfo.UnknownSize ? null : item.Object.Size - offset);
        var moved = 0L;
        for (var failures = 0; ;)
        {
            var before = moved;
            var broken = await scheduler.MoveAsync(
                () => TryAsync(offset + moved, length - moved, bytes =>
                {
                    Write(file, bytes, offset + moved);
                    received?.Invoke(bytes);
                    moved += bytes.Length;
                    tally.Moved(bytes.Length);
                }, cancellationToken),
                cancellationToken).ConfigureAwait(false);

            if (broken is null)
                return;
            failures = moved > before ? 1 : failures + 1;
            if (failures >= scheduler.Options.Attempts || (!item.CanGoOn && moved > 0))
                throw broken;
            await scheduler.Retry.PauseAsync(failures, broken, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>What another connection may overcome; null when all of it has come.</returns>
    private async Task<Exception?> TryAsync(long offset, long? length, StreamPump.Bytes write, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await item.Store.OpenReadAsync(item.Object, offset, length, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                await StreamPump.CopyAsync(stream, write, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (TaskFailureException e) when (Retry.IsWorthwhile(e))
        {
            return e;
        }
    }

    private void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw Download.Local(item, e);
        }
    }
}
