using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From an object to an object, inside the store where both are in one bucket.</summary>
public sealed record ObjectCopy(IObjectStore Store, ObjectInfo From, string Source, ObjectLocation To, string Destination) : ObjectTransfer(Source, Destination, From.Size)
{
    internal override async Task<ObjectInfo?> RunAsync(TransferOptions options, TransferMeter meter, CancellationToken cancellationToken)
    {
        var inside = ReferenceEquals(Store, To.Store) && From.Bucket == To.Bucket;
        var stored = await new Retry(options, TimeProvider.System).RunAsync(
            () => inside ? Store.CopyAsync(From, To.Key, cancellationToken) : CopyAcrossAsync(meter, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        if (inside)
            meter.Moved(From.Size);
        meter.Finished();
        return stored;
    }

    private async Task<ObjectInfo> CopyAcrossAsync(TransferMeter meter, CancellationToken cancellationToken)
    {
        var moved = 0L;
        var source = await Store.OpenReadAsync(From, 0, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            using var content = new HashingStream(source, count =>
            {
                moved += count;
                meter.Moved(count);
            });
            try
            {
                var stored = await To.Store.PutAsync(To.Bucket, To.Key, content, cancellationToken).ConfigureAwait(false);
                Verify(From, content.Current);
                Verify(stored, content.Current);
                return stored;
            }
            catch
            {
                meter.Moved(-moved);
                throw;
            }
        }
    }

    private static void Verify(ObjectInfo info, ContentSums sums)
    {
        if (info.Size != sums.Size || (info.Crc32C is { } crc && crc != sums.Crc32C))
            throw new TaskFailureException(FailureReason.InputCorrupt, $"{info.Bucket}:{info.Key} was damaged on the way: {info.Size} bytes, CRC-32C {info.Crc32C:x8}, and {sums.Size}, {Crc32C.ToText(sums.Crc32C)} went by.");
    }
}
