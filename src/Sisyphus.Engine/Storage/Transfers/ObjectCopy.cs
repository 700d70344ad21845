using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From an object to an object, inside the store where both are in one bucket.</summary>
public sealed record ObjectCopy(IObjectStore Store, ObjectInfo From, string Source, ObjectLocation To, string Destination) : ObjectTransfer(Source, Destination, From.Size)
{
    internal override async Task<ObjectInfo?> RunAsync(Action<int> moved, CancellationToken cancellationToken)
    {
        if (ReferenceEquals(Store, To.Store) && From.Bucket == To.Bucket)
            return await Store.CopyAsync(From, To.Key, cancellationToken).ConfigureAwait(false);

        var source = await Store.OpenReadAsync(From, 0, cancellationToken).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            using var content = new HashingStream(source, moved);
            var stored = await To.Store.PutAsync(To.Bucket, To.Key, content, cancellationToken).ConfigureAwait(false);
            TransferVerification.Require(From, content.Current);
            TransferVerification.Require(stored, content.Current);
            return stored;
        }
    }
}
