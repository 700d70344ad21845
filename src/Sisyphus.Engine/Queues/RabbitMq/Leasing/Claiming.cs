using System.Threading.Channels;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>Gets the next task from the lanes: looks into each once, the highest priority first, and when all are empty waits for what is delivered.</summary>
/// <remarks>A consumer for each lane would be handed one task of each, the low ones while high ones wait behind.</remarks>
internal sealed class Claiming(BrokerParts parts, Taking taking, LaneSearch search)
{
    /// <summary>Tasks that don't fit, one after the other; then it is others' turn to look.</summary>
    private const int MostPassedOver = 50;
    /// <summary>Looks again although nothing was delivered: a node is never deaf for longer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    /// <summary>The same, where a lane is on a member of the cluster that is down.</summary>
    private static readonly TimeSpan s_downPatience = TimeSpan.FromSeconds(2);

    private int _turn;

    public async Task<(HeldTask Task, IReadOnlyList<string> Warnings)> ClaimAsync(Attachment attachment, ClaimRequest request, CancellationToken cancellationToken)
    {
        if (request.Workflows.FirstOrDefault(workflow => !WorkflowName.IsValid(workflow)) is { } wrong)
            throw new ArgumentException($"A workflow is '{wrong}'; allowed: {WorkflowName.Allowed}.", nameof(request));
        foreach (var workflow in request.Workflows)
            await parts.OpenLaneAsync(workflow, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await search.OpenAsync(attachment.Connection, request.Workflows, cancellationToken).ConfigureAwait(false);
            var (lanes, changed) = parts.Board.Lanes();
            var (queues, areAll) = await QueuesAsync(attachment, Choose(lanes, request), request.Workflows, cancellationToken).ConfigureAwait(false);
            var passedOver = 0;
            if (await LookAsync(attachment, queues, request, () => passedOver++, () => passedOver >= MostPassedOver, cancellationToken).ConfigureAwait(false) is { } found)
                return found;
            if (passedOver >= MostPassedOver)
                await Task.Delay(Topology.PassedOverDelay, parts.Time, cancellationToken).ConfigureAwait(false);
            else if (await WaitAsync(attachment, queues, request, changed, areAll ? s_patience : s_downPatience, cancellationToken).ConfigureAwait(false) is { } delivered)
                return delivered;
        }
    }

    private List<Lane> Choose(IReadOnlyList<Lane> lanes, ClaimRequest request)
    {
        IEnumerable<Lane> chosen = request.Workflows.Count == 0
            ? lanes
            : lanes.Where(lane => lane.Workflow is { } workflow && request.Workflows.Contains(workflow)).Union(request.Workflows.Select(workflow => new Lane(workflow, TaskDocument.DefaultPriority)));
        // Each workflow begins in its turn, so that none starves behind one that never ends.
        return [.. chosen.GroupBy(lane => lane.Priority).OrderByDescending(level => level.Key).SelectMany(level =>
        {
            var ordered = level.OrderBy(lane => lane.Workflow, StringComparer.Ordinal).ToArray();
            return ordered.Skip(_turn % ordered.Length).Concat(ordered.Take(_turn % ordered.Length));
        })];
    }

    /// <summary>In the order in which to look: of each level first what was claimed before, for it is older.</summary>
    /// <returns>The queues, and whether all of them are to be had: one that is on a member of the cluster that is down must not keep us from the rest.</returns>
    private async Task<(IReadOnlyList<string> Queues, bool AreAll)> QueuesAsync(Attachment attachment, List<Lane> lanes, IReadOnlyList<string?> wanted, CancellationToken cancellationToken)
    {
        List<string> queues = [];
        var areAll = true;
        foreach (var level in lanes.GroupBy(lane => lane.Priority))
        {
            List<string> mains = [];
            foreach (var lane in level)
            {
                var main = parts.Names.Lane(lane.Workflow, lane.Priority);
                var front = QueueNames.Front(main);
                try
                {
                    var isMain = await IsUpAsync(() => parts.Topology.EnsureLaneAsync(attachment.Connection, lane, TimeSpan.Zero, cancellationToken)).ConfigureAwait(false);
                    var isFront = await IsUpAsync(() => parts.Topology.EnsurePlainAsync(attachment.Connection, front, TimeSpan.Zero, cancellationToken)).ConfigureAwait(false);
                    if (isFront)
                        queues.Add(front);
                    if (isMain)
                        mains.Add(main);
                    areAll &= isMain && isFront;
                }
                catch (QueueException error) when (error.Failure == QueueFailure.Denied && lane != Lane.Main && !wanted.Contains(lane.Workflow))
                {
                    // One of which only others spoke, and which we may not declare, must not keep us from the rest.
                }
            }
            queues.AddRange(mains);
        }
        return (queues, areAll);
    }

    private static async Task<bool> IsUpAsync(Func<Task> ensure)
    {
        try
        {
            await ensure().ConfigureAwait(false);
            return true;
        }
        catch (QueueException error) when (BrokerFailures.IsDown(error))
        {
            return false;
        }
    }

    private async Task<(HeldTask Task, IReadOnlyList<string> Warnings)?> LookAsync(Attachment attachment, IReadOnlyList<string> queues, ClaimRequest request, Action passedOver, Func<bool> isEnough, CancellationToken cancellationToken)
    {
        foreach (var queue in queues)
        {
            while (!isEnough())
            {
                cancellationToken.ThrowIfCancellationRequested();
                // Not with the caller's token: what was fetched has to be given back.
                if (await parts.Calls.GetAsync(attachment.Lanes, queue, $"look into {queue}", CancellationToken.None).ConfigureAwait(false) is not { } got)
                    break;
                var message = new Incoming(attachment.Lanes, got.DeliveryTag, queue, got.BasicProperties, got.Body);
                if (await TakeAsync(attachment, message, request, passedOver, cancellationToken).ConfigureAwait(false) is { } taken)
                    return taken;
            }
        }
        return null;
    }

    /// <returns>Null when it is time to look again.</returns>
    private async Task<(HeldTask Task, IReadOnlyList<string> Warnings)?> WaitAsync(Attachment attachment, IReadOnlyList<string> queues, ClaimRequest request, Task changed, TimeSpan patience, CancellationToken cancellationToken)
    {
        var channel = await attachment.OpenOwnChannelAsync(attachment.Connection, cancellationToken).ConfigureAwait(false);
        // With the channel's end everything is back in its place that was delivered and not taken.
        await using (channel.Ending().ConfigureAwait(false))
        {
            var delivered = Channel.CreateBounded<Incoming>(Math.Max(1, queues.Count));
            foreach (var queue in queues)
                await attachment.ConsumeAsync(channel, queue, acknowledged: true, exclusive: false, prefetch: 1, message => delivered.Writer.WriteAsync(message, CancellationToken.None).AsTask(), cancellationToken).ConfigureAwait(false);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var arriving = delivered.Reader.WaitToReadAsync(stop.Token).AsTask();
            await Task.WhenAny(arriving, changed, attachment.Broken, Task.Delay(patience, parts.Time, stop.Token)).ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (attachment.IsBroken)
                throw parts.Calls.Failure(QueueFailure.Unavailable, await attachment.Broken.ConfigureAwait(false));
            return delivered.Reader.TryRead(out var message) ? await TakeAsync(attachment, message, request, () => { }, cancellationToken).ConfigureAwait(false) : null;
        }
    }

    private async Task<(HeldTask Task, IReadOnlyList<string> Warnings)?> TakeAsync(Attachment attachment, Incoming message, ClaimRequest request, Action passedOver, CancellationToken cancellationToken)
    {
        try
        {
            // From here on to the end, whoever loses patience: it takes milliseconds.
            cancellationToken.ThrowIfCancellationRequested();
            var taken = await taking.TakeAsync(attachment, message, task => !(task.Resources.Cpus > request.Cpus) && !(task.Resources.Memory > request.Memory), passedOver).ConfigureAwait(false);
            if (taken is not null)
                _turn++;
            return taken;
        }
        catch (Exception error)
        {
            await attachment.GiveBackAsync(message).ConfigureAwait(false);
            if (error is OperationCanceledException)
                throw;
            throw error as QueueException ?? parts.Calls.Explain(error, "claim a task");
        }
    }
}
