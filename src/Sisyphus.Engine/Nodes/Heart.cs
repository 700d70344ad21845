using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Tells the registry how the node is doing, regularly and at each change.</summary>
internal sealed class Heart(Seat seat, Standing standing, Runs runs, NodeEvents events, TimeSpan interval, TimeProvider time)
{
    public async Task BeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                events.Flush();
                var changed = standing.NextChange();
                await seat.CallAsync(
                    async (session, token) =>
                    {
                        await session.HeartbeatAsync(Status(), token).ConfigureAwait(false);
                        return true;
                    },
                    cancellationToken).ConfigureAwait(false);
                await WaitAsync(changed, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node has ended.
        }
    }

    private NodeStatus Status()
    {
        var (state, message) = standing.Now;
        var running = runs.Snapshot();
        return new NodeStatus(
            state,
            [.. running.Select(run => run.TaskId)],
            running.Sum(run => run.Resources.Cpus ?? 0),
            running.Sum(run => run.Resources.Memory ?? 0),
            LoadAverage.Read(),
            runs.Finished,
            message);
    }

    private async Task WaitAsync(Task changed, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Task.Delay(interval, time, either.Token), changed).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
