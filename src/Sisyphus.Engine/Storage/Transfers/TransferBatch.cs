using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Runs transfers, several at a time, and reports by events. One that fails does not stop the others.</summary>
public static class TransferBatch
{
    public const int DefaultConcurrency = 4;
    private const int EventCapacity = 64;

    public static async IAsyncEnumerable<TransferEvent> RunAsync(IReadOnlyCollection<ObjectTransfer> transfers, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = Channel.CreateBounded<TransferEvent>(EventCapacity);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = WorkAsync(transfers, events.Writer, cancellation.Token);
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

    private static async Task WorkAsync(IReadOnlyCollection<ObjectTransfer> transfers, ChannelWriter<TransferEvent> events, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            var meter = new TransferMeter(transfers, events);
            var options = new ParallelOptions { MaxDegreeOfParallelism = DefaultConcurrency, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(transfers, options, async (transfer, token) =>
                await events.WriteAsync(await RunAsync(transfer, meter, token).ConfigureAwait(false), token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
        }
        events.Complete(failure);
    }

    private static async Task<TransferEvent> RunAsync(ObjectTransfer transfer, TransferMeter meter, CancellationToken cancellationToken)
    {
        try
        {
            var stored = await transfer.RunAsync(meter.Moved, cancellationToken).ConfigureAwait(false);
            return new TransferCompleted(transfer, stored);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new TransferFailed(transfer, e);
        }
        finally
        {
            meter.Ended();
        }
    }
}
