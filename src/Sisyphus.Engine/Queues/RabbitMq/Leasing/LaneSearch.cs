using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Tasks.Reading;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>Finds tasks in lanes of which the event stream does not tell: the last that was said of them has passed out of it, or nobody ever said anything.</summary>
/// <remarks>AMQP has no way to list queues, so each that there could be is asked for by its name, which needs no right.</remarks>
internal sealed class LaneSearch(BrokerParts parts)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromHours(1);

    /// <summary>When the lanes of a workflow, or of tasks without one (""), were last asked for.</summary>
    private readonly Dictionary<string, long> _asked = [];

    /// <summary>Once an hour for each workflow.</summary>
    /// <param name="wanted">The workflows to serve; none for all that are known, and for tasks without one.</param>
    public async Task OpenAsync(IConnection connection, IReadOnlyList<string> wanted, CancellationToken cancellationToken)
    {
        var known = parts.Board.Lanes().Lanes;
        foreach (var workflow in wanted.Count > 0 ? wanted : known.Select(lane => lane.Workflow).Distinct())
        {
            var name = workflow ?? "";
            if (_asked.TryGetValue(name, out var asked) && parts.Time.GetElapsedTime(asked) < s_pause)
                continue;
            var others = Enumerable.Range(0, Limits.MaxPriority + 1).Select(priority => new Lane(workflow, priority)).Except(known).ToArray();
            var found = await Task.WhenAll(others.Select(lane => HasTasksAsync(connection, lane, cancellationToken))).ConfigureAwait(false);
            foreach (var (lane, hasTasks) in others.Zip(found))
            {
                if (hasTasks)
                    await parts.OpenLaneAsync(lane, cancellationToken).ConfigureAwait(false);
            }
            _asked[name] = parts.Time.GetTimestamp();
        }
    }

    /// <summary>Tells again of lanes where tasks wait, of whatever workflow, before the last that was said of them passes out of the stream: who comes later could not know of them.</summary>
    public async Task TellAgainAsync(CancellationToken cancellationToken)
    {
        var untold = parts.Board.Lanes(parts.TellAgainBefore);
        if (untold.Count == 0)
            return;
        var connection = await parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false);
        foreach (var lane in untold)
        {
            if (await HasTasksAsync(connection, lane, cancellationToken).ConfigureAwait(false))
                await parts.OpenLaneAsync(lane, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> HasTasksAsync(IConnection connection, Lane lane, CancellationToken cancellationToken)
    {
        var queue = parts.Names.Lane(lane.Workflow, lane.Priority);
        foreach (var name in (string[])[queue, QueueNames.Front(queue)])
        {
            try
            {
                if (await parts.Inquiries.CountAsync(connection, name, cancellationToken).ConfigureAwait(false) > 0)
                    return true;
            }
            catch (QueueException error) when (connection.IsOpen && error.InnerException is OperationInterruptedException)
            {
                // One that somebody has for himself, say, must not keep us from the rest.
            }
        }
        return false;
    }
}
