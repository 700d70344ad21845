using System.Collections.Concurrent;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Takes tasks as long as there is room for them, and owns their runs.</summary>
/// <param name="see">Told of each task that is taken.</param>
/// <param name="fail">Ends the node.</param>
/// <param name="prepare">What has to be done before tasks are taken, at the start and after each pause.</param>
internal sealed class ClaimLoop(NodeParts node, Seat seat, Func<CancellationToken, Task> prepare, Action<TaskDocument> see, Action<Exception> fail, CancellationToken abandon)
{
    /// <summary>A node that may idle for no time at all still has to look.</summary>
    private static readonly TimeSpan s_shortestIdle = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Task, bool> _running = [];

    /// <summary>Ends when nothing is to be taken any more; what runs may still run.</summary>
    public async Task RunAsync(CancellationToken drain)
    {
        try
        {
            var isPrepared = false;
            while (!drain.IsCancellationRequested)
            {
                var changed = node.Runs.NextChange();
                if (node.Health.IsTroubled)
                {
                    await node.Health.RecoverAsync(drain).ConfigureAwait(false);
                    isPrepared = false;
                }
                else if (!isPrepared)
                {
                    isPrepared = await TryPrepareAsync(drain).ConfigureAwait(false);
                    node.Runs.RestartIdle();
                }
                else if (node.Runs.Taken >= node.Options.MaxTasks)
                {
                    // One of them may yet be put back.
                    if (node.Runs.Idle is not null)
                        return;
                    await changed.WaitAsync(drain).ConfigureAwait(false);
                }
                else if (!node.Workshop.TryTakeSlot(out var slot))
                {
                    await changed.WaitAsync(drain).ConfigureAwait(false);
                }
                else if (!await TryTakeAsync(slot, changed, drain).ConfigureAwait(false) && IdleLeft <= TimeSpan.Zero)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (drain.IsCancellationRequested)
        {
            // Drained.
        }
    }

    /// <summary>Waits for what still runs.</summary>
    public Task WaitAsync() => Task.WhenAll(_running.Keys);

    /// <summary>Until the node has been idle for long enough; null when that is never, or something runs.</summary>
    private TimeSpan? IdleLeft => node.Options.IdleTimeout is { } limit && node.Runs.Idle is { } idle
        ? (limit > s_shortestIdle ? limit : s_shortestIdle) - idle
        : null;

    private async Task<bool> TryPrepareAsync(CancellationToken drain)
    {
        try
        {
            await prepare(drain).ConfigureAwait(false);
            return true;
        }
        catch (TaskFailureException failure)
        {
            node.Health.Report(failure);
            return false;
        }
    }

    /// <returns>Whether a task runs in the slot now.</returns>
    private async Task<bool> TryTakeAsync(Slot slot, Task changed, CancellationToken drain)
    {
        IDelivery? delivery = null;
        try
        {
            delivery = await ClaimAsync(changed, drain).ConfigureAwait(false);
        }
        finally
        {
            if (delivery is null)
                node.Workshop.Return(slot);
        }

        if (delivery is null)
            return false;
        var lease = new Lease(delivery, seat.Session.LeaseTime, node.Line, node.Time, abandon);
        var run = new DeliveryRun(delivery, slot, lease, node, abandon);
        node.Runs.Add(run);
        // Came in the very moment in which the node stopped taking.
        if (drain.IsCancellationRequested || node.Health.IsTroubled)
            await run.RefuseAsync().ConfigureAwait(false);
        else
            return Start(run, slot, delivery.Document);
        node.Workshop.Return(slot);
        node.Runs.Remove(run);
        return false;
    }

    /// <returns>Null when the wait ended without a task: the room has changed, the node is idle, or it is to stop.</returns>
    private async Task<IDelivery?> ClaimAsync(Task changed, CancellationToken drain)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(drain);
        var idle = Task.Delay(IdleLeft is not { } left ? Timeout.InfiniteTimeSpan : left > TimeSpan.Zero ? left : TimeSpan.Zero, node.Time, stop.Token);
        var claim = seat.CallAsync((session, token) => session.ClaimAsync(node.Runs.Free(node.Options.Workflows), token), stop.Token);
        await Task.WhenAny(claim, changed, idle).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        try
        {
            return await claim.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private bool Start(DeliveryRun run, Slot slot, TaskDocument task)
    {
        see(task);
        var running = Task.Run(async () =>
        {
            try
            {
                await run.RunAsync().ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // A queue that can't be used any more, or a defect: the node ends with it.
                fail(error);
            }

            node.Workshop.Return(slot);
            node.Runs.Remove(run);
        });
        _running.TryAdd(running, true);
        _ = running.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
        return true;
    }
}
