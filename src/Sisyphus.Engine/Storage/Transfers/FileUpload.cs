namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From a file to an object.</summary>
public sealed record FileUpload(string File, ObjectLocation To, string Destination, long Size) : ObjectTransfer(File, Destination, Size)
{
    internal override async Task<ObjectInfo?> RunAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken) =>
        (await new Upload(scheduler).FromFileAsync(File, To, meter, cancellationToken).ConfigureAwait(false)).Object;
}
