using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Publishing without staging, as a document may ask for: decided by the local files' checksums, and sent to the final keys after that.</summary>
/// <remarks>One attempt still wins. But what it has not sent nobody else has, so when it is gone the next attempt takes its place. One that was only cut off notices that before the end of what it sends; only last bytes that are on their way at that moment may still arrive, and complete an object over the other's.</remarks>
internal sealed class DirectPublication(Func<RemotePath, ObjectLocation> resolve, TransferScheduler scheduler)
{
    private readonly Upload _upload = new(scheduler);

    /// <summary>What the files are, without sending them.</summary>
    /// <exception cref="TaskFailureException">A file can't be read.</exception>
    public static async Task<IReadOnlyList<DecidedOutput>> DescribeAsync(IReadOnlyList<OutputFile> files, CancellationToken cancellationToken)
    {
        var described = new DecidedOutput[files.Count];
        await Parallel.ForEachAsync(files.Index(), new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken }, async (file, token) =>
            described[file.Index] = DecidedOutput.Of(file.Item.Remote, await SumsAsync(file.Item, token).ConfigureAwait(false), null)).ConfigureAwait(false);
        return described;
    }

    /// <summary>Sends the file to the final key.</summary>
    /// <exception cref="TaskFailureException">With the store's reason, or <see cref="FailureReason.Internal"/> when it is not the file that was decided on, or no longer the attempt's turn.</exception>
    public async Task SendAsync(OwnOutput own, DecidedOutput output, CancellationToken cancellationToken)
    {
        var target = resolve(own.File.Remote);
        var (_, sums) = await _upload.FromFileAsync(own.File.LocalPath, target with { Store = new TurnStore(target.Store, output.Size, own.Turn) }, new TransferMeter(), cancellationToken).ConfigureAwait(false);
        if (sums.Sha256 != output.Sha256)
            throw new TaskFailureException(FailureReason.Internal, $"{output.Path} can't be published: its local file is not what was decided on.");
    }

    private static async Task<ContentSums> SumsAsync(OutputFile file, CancellationToken cancellationToken)
    {
        try
        {
            using var stream = new FileStream(file.LocalPath, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0, Options = FileOptions.SequentialScan });
            using var content = new HashingStream(stream);
            await content.CopyToAsync(Stream.Null, StreamPump.BufferSize, cancellationToken).ConfigureAwait(false);
            return content.Current;
        }
        catch (Exception e) when (StoreFailures.IsIO(e))
        {
            throw StoreFailures.FromLocalIO(e, $"read '{file.LocalPath}' ({file.Remote})");
        }
    }
}
