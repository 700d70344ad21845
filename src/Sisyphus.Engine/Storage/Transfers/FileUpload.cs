using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>From a file to an object.</summary>
public sealed record FileUpload(string File, ObjectLocation To, string Destination, long Size) : ObjectTransfer(File, Destination, Size)
{
    internal override async Task<ObjectInfo?> RunAsync(Action<int> moved, CancellationToken cancellationToken)
    {
        var file = new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using (file.ConfigureAwait(false))
        {
            using var content = new HashingStream(file, moved);
            var stored = await To.Store.PutAsync(To.Bucket, To.Key, content, cancellationToken).ConfigureAwait(false);
            TransferVerification.Require(stored, content.Current);
            return stored;
        }
    }
}
