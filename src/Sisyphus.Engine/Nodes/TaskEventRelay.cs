using System.Threading.Channels;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Takes an attempt's events without ever making it wait: what others are to see goes to the queue, all of it to the node's reader as far as that keeps up.</summary>
internal sealed class TaskEventRelay(IDelivery delivery, NodeEvents events, bool reportsOutput) : ChannelWriter<TaskEvent>
{
    private readonly Channel<TaskEvent> _reports = Channel.CreateBounded<TaskEvent>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly string _title = delivery.Document.ToString();

    public override bool TryWrite(TaskEvent item)
    {
        if (item is OutputLineReceived output)
        {
            delivery.WriteOutput(output.Time, output.Stream, output.Line);
            if (!reportsOutput)
                return true;
        }

        if (item is TaskStateChanged or TaskWarned)
            _reports.Writer.TryWrite(item);
        events.Offer(new NodeTaskEvent(item, _title));
        return true;
    }

    public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => new(true);

    /// <summary>The attempt is over: no more will come.</summary>
    public override bool TryComplete(Exception? error = null) => _reports.Writer.TryComplete();

    /// <summary>Tells the queue; ends after <see cref="TryComplete"/>.</summary>
    public async Task ReportAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var happened in _reports.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                await ReportAsync(happened, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // How the task ends says more.
        }
    }

    private async Task ReportAsync(TaskEvent happened, CancellationToken cancellationToken)
    {
        try
        {
            if (happened is TaskStateChanged change)
                await delivery.ReportAsync(change.State, cancellationToken).ConfigureAwait(false);
            else if (happened is TaskWarned warning)
                await delivery.WarnAsync(warning.Message, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException)
        {
            // Only for others to see, and the next one says more: not said twice.
        }
    }
}
