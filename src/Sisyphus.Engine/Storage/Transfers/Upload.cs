using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Local files to objects: verified, and gone on with where the way to the store broke.</summary>
internal sealed class Upload(TransferScheduler scheduler)
{
    private readonly UploadJournal _journal = new(scheduler.Options.JournalFolder, scheduler.Time);

    /// <exception cref="TaskFailureException">With the store's reason, or <see cref="FailureReason.TransferFailed"/> when the file can't be read or the store received other bytes.</exception>
    public async Task<(ObjectInfo Object, ContentSums Sums)> FromFileAsync(string path, ObjectLocation target, TransferMeter meter, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            // Asked before it is opened: opening a pipe would wait for a writer.
            if (ReplaceableFile.IsOther(path))
                throw new IOException("it is no regular file");
            file = new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromLocalIO(e, $"read '{path}' ({target.Bucket}:{target.Key})");
        }
        await using (file.ConfigureAwait(false))
        {
            var state = _journal.Open(file, target);
            try
            {
                return await SendAsync(file, target, state, meter, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (!state.IsKept)
            {
                await state.GiveUpAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Repeats for as long as something moves: each try that brings the upload on begins the count anew.</summary>
    private async Task<(ObjectInfo Object, ContentSums Sums)> SendAsync(FileStream file, ObjectLocation target, UploadState state, TransferMeter meter, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            var before = state.Confirmed;
            try
            {
                return await scheduler.MoveAsync(() => TryAsync(file, target, state, meter, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (Retry.IsWorthwhile(e))
            {
                if (state.Confirmed > before)
                    failures = 1;
                if (failures >= scheduler.Options.Attempts)
                    throw;
                await scheduler.Retry.PauseAsync(failures, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task<(ObjectInfo Object, ContentSums Sums)> TryAsync(FileStream file, ObjectLocation target, UploadState state, TransferMeter meter, CancellationToken cancellationToken)
    {
        var (store, bucket, key) = target;
        var tally = new TransferTally(meter);
        file.Position = 0;
        using var content = new HashingStream(file, count => tally.Moved(count));
        try
        {
            var stored = await store.PutAsync(bucket, key, content, state, cancellationToken).ConfigureAwait(false);
            var sums = content.Current;
            if (stored.Size != sums.Size || stored.Crc32C != sums.Crc32C)
            {
                // What is there is not what was sent; going on with it would not make it better.
                state.Clear();
                throw new TaskFailureException(FailureReason.TransferFailed, $"{bucket}:{key} arrived damaged at {store.Name}: {stored.Size} bytes, CRC-32C {stored.Crc32C:x8}, instead of {sums.Size}, {Crc32C.ToText(sums.Crc32C)}.");
            }
            state.Clear();
            meter.Finished();
            return (stored, sums);
        }
        catch (Exception)
        {
            tally.TakeBack();
            throw;
        }
    }
}
