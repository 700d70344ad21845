namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>One object on its way between a file and a store, between stores, or out of one. The destination appears whole and verified, or not at all.</summary>
/// <param name="Source">As a user writes it.</param>
/// <param name="Destination">As a user writes it.</param>
/// <param name="Size">Bytes, as known beforehand.</param>
public abstract record ObjectTransfer(string Source, string Destination, long Size)
{
    /// <returns>The object as stored, or null when the destination is a file.</returns>
    internal abstract Task<ObjectInfo?> RunAsync(TransferScheduler scheduler, TransferMeter meter, CancellationToken cancellationToken);
}
