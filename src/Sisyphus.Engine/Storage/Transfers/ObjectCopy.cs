using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From an object to an object, inside the store where both are in one bucket.</summary>
public sealed record ObjectCopy(IObjectStore Store, ObjectInfo From, string Source, ObjectLocation To, string Destination) : ObjectTransfer(Source, Destination, From.KnownSize)
{
    // As for a download: a bit that flips on the way is seldom.
    private const int Tries = 2;

    internal override async Task<ObjectInfo?> RunAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken)
    {
        var stored = ReferenceEquals(Store, To.Store) && From.Bucket == To.Bucket
            ? await CopyInsideAsync(scheduler, meter, cancellationToken).ConfigureAwait(false)
            : await CopyAcrossAsync(scheduler, meter, cancellationToken).ConfigureAwait(false);
        meter.Finished();
        return stored;
    }

    private async Task<ObjectInfo> CopyInsideAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken)
    {
        var stored = await scheduler.Retry.RunAsync(() => scheduler.MoveAsync(() => Store.CopyAsync(From, To.Key, cancellationToken), cancellationToken), cancellationToken).ConfigureAwait(false);
        meter.Moved(From.Size);
        return stored;
    }

    private async Task<ObjectInfo> CopyAcrossAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken)
    {
        var tally = new TransferTally(meter, expects: From.Size == ObjectInfo.UnknownSize);
        var damages = 0;
        for (var failures = 1; ; failures++)
        {
            var content = new VerifiedContent(scheduler, Store, From, tally.Moved);
            await using (content.ConfigureAwait(false))
            {
                try
                {
                    return await scheduler.MoveAsync(() => PutAsync(content, cancellationToken), cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    tally.TakeBack();
                    if (content.IsDamaged && ++damages < Tries)
                        continue;
                    if (content.IsGivenUp || failures >= scheduler.Options.Attempts || !Retry.IsWorthwhile(e))
                        throw;
                    await scheduler.Retry.PauseAsync(failures, e, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task<ObjectInfo> PutAsync(VerifiedContent content, CancellationToken cancellationToken)
    {
        var stored = await To.Store.PutAsync(To.Bucket, To.Key, content, cancellationToken).ConfigureAwait(false);
        return stored.Size == content.Size && (stored.Crc32C ?? content.Crc32C) == content.Crc32C
            ? stored
            : throw new TaskFailureException(FailureReason.TransferFailed, $"{To.Bucket}:{To.Key} arrived damaged at {To.Store.Name}: {stored.Size} bytes, CRC-32C {stored.Crc32C:x8}, instead of {content.Size}, {Crc32C.ToText(content.Crc32C)}.");
    }
}
