using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Local files to objects: verified, repeated where the way to the store broke.</summary>
internal sealed class Upload(TransferOptions options, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <exception cref="TaskFailureException">With the store's reason, or <see cref="FailureReason.TransferFailed"/> when the file can't be read or the store received other bytes.</exception>
    public async Task<(ObjectInfo Object, ContentSums Sums)> FromFileAsync(string path, ObjectLocation target, TransferMeter meter, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromLocalIO(e, $"read '{path}' ({target.Bucket}:{target.Key})");
        }
        await using (file.ConfigureAwait(false))
            return await new Retry(options, _time).RunAsync(() => TryAsync(file, target, meter, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<(ObjectInfo Object, ContentSums Sums)> TryAsync(FileStream file, ObjectLocation target, TransferMeter meter, CancellationToken cancellationToken)
    {
        var (store, bucket, key) = target;
        using var stall = new CancellationTokenSource(options.StallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        var moved = 0L;
        file.Position = 0;
        using var content = new HashingStream(file, count =>
        {
            moved += count;
            meter.Moved(count);
            // Behind the last byte the store may take its time to make it durable.
            stall.CancelAfter(count > 0 ? options.StallTimeout : Timeout.InfiniteTimeSpan);
        });
        try
        {
            var stored = await store.PutAsync(bucket, key, content, either.Token).ConfigureAwait(false);
            var sums = content.Current;
            if (stored.Size != sums.Size || stored.Crc32C != sums.Crc32C)
                throw new TaskFailureException(FailureReason.TransferFailed, $"{bucket}:{key} arrived damaged at {store.Name}: {stored.Size} bytes, CRC-32C {stored.Crc32C:x8}, instead of {sums.Size}, {Crc32C.ToText(sums.Crc32C)}.");
            meter.Finished();
            return (stored, sums);
        }
        catch (OperationCanceledException e) when (stall.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            meter.Moved(-moved);
            throw new TaskFailureException(FailureReason.TransferFailed, $"{bucket}:{key} can't be stored in {store.Name}: nothing moved for {options.StallTimeout.TotalSeconds:0} s.", e);
        }
        catch (Exception)
        {
            meter.Moved(-moved);
            throw;
        }
    }
}
