using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Runs sets of transfers, one after the other, several transfers at a time, and reports by events, in which all sets are one count. A transfer that fails does not stop the others.</summary>
public sealed class TransferBatch
{
    private const int EventCapacity = 64;

    private readonly TransferScheduler _scheduler;
    private readonly ProgressEvents _progress = new();
    private readonly TransferMeter _meter;

    public TransferBatch(TransferScheduler scheduler)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        _scheduler = scheduler;
        _meter = new TransferMeter(_progress, scheduler.Time);
    }

    /// <summary>One set, when the one before has ended.</summary>
    public async IAsyncEnumerable<TransferEvent> RunAsync(IReadOnlyCollection<ObjectTransfer> transfers, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = Channel.CreateBounded<TransferEvent>(EventCapacity);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _progress.Events = events.Writer;
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

    private async Task WorkAsync(IReadOnlyCollection<ObjectTransfer> transfers, ChannelWriter<TransferEvent> events, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            _meter.Expect(transfers.Count, transfers.Sum(transfer => transfer.Size));
            await Parallel.ForEachAsync(transfers, _scheduler.Parallelism(cancellationToken), async (transfer, token) =>
                await events.WriteAsync(await RunOneAsync(transfer, token).ConfigureAwait(false), token).ConfigureAwait(false)).ConfigureAwait(false);
            // Those on the way are left out when the reader is slow; the last count is not.
            await events.WriteAsync(new TransferProgressed(_meter.Current), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
        }
        events.Complete(failure);
    }

    private async Task<TransferEvent> RunOneAsync(ObjectTransfer transfer, CancellationToken cancellationToken)
    {
        try
        {
            return new TransferCompleted(transfer, await transfer.RunAsync(_scheduler, _meter, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new TransferFailed(transfer, e);
        }
    }

    private sealed class ProgressEvents : IProgress<TransferProgress>
    {
        public ChannelWriter<TransferEvent>? Events { get; set; }

        public void Report(TransferProgress value) => Events?.TryWrite(new TransferProgressed(value));
    }
}
