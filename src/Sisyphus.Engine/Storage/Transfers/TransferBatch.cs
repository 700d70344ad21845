using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Runs transfers, several at a time, and reports by events. One that fails does not stop the others.</summary>
public static class TransferBatch
{
    private const int EventCapacity = 64;

    public static async IAsyncEnumerable<TransferEvent> RunAsync(IReadOnlyCollection<ObjectTransfer> transfers, TransferOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = Channel.CreateBounded<TransferEvent>(EventCapacity);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = WorkAsync(transfers, options, events.Writer, cancellation.Token);
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return happened;
        }
        finally
        {
            // The reader may have left in the middle; nothing of ours runs on after it.
            await cancellation.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task WorkAsync(IReadOnlyCollection<ObjectTransfer> transfers, TransferOptions options, ChannelWriter<TransferEvent> events, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            var meter = new TransferMeter(new ProgressEvents(events));
            meter.Expect(transfers.Count, transfers.Sum(transfer => transfer.Size));
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(transfers, parallel, async (transfer, token) =>
                await events.WriteAsync(await RunAsync(transfer, options, meter, token).ConfigureAwait(false), token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
        }
        events.Complete(failure);
    }

    private static async Task<TransferEvent> RunAsync(ObjectTransfer transfer, TransferOptions options, TransferMeter meter, CancellationToken cancellationToken)
    {
        try
        {
            return new TransferCompleted(transfer, await transfer.RunAsync(options, meter, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new TransferFailed(transfer, e);
        }
    }

    private sealed class ProgressEvents(ChannelWriter<TransferEvent> events) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => events.TryWrite(new TransferProgressed(value));
    }
}
