namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>An object that is deleted: it goes nowhere.</summary>
public sealed record ObjectRemoval(IObjectStore Store, ObjectInfo From, string Source) : ObjectTransfer(Source, "", 0)
{
    internal override async Task<ObjectInfo?> RunAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken)
    {
        await scheduler.Retry.RunAsync(
            () => scheduler.MoveAsync(
                async () =>
                {
                    await Store.DeleteAsync(From.Bucket, From.Key, cancellationToken).ConfigureAwait(false);
                    return true;
                },
                cancellationToken),
            cancellationToken).ConfigureAwait(false);
        meter.Finished();
        return null;
    }
}
