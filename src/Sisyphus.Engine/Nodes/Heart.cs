using System.Threading.Channels;

using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>The node's state, told to the registry regularly and at each change.</summary>
internal sealed class Heart(TimeSpan interval, TimeProvider time, Func<NodeState, string, NodeStatus> status, ChannelWriter<NodeEvent> events)
{
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Condition _condition = new(NodeState.Idle, "");

    /// <summary>A state that is new is an event too.</summary>
    public async Task SetAsync(NodeState state, string message)
    {
        var before = _condition;
        _condition = new Condition(state, message);
        Volatile.Read(ref _changed).TrySetResult();
        if (before != _condition && (state is NodeState.Paused or NodeState.Draining || before.State == NodeState.Paused))
        {
            try
            {
                await events.WriteAsync(new NodeStateChanged(time.GetUtcNow(), state, message)).ConfigureAwait(false);
            }
            catch (ChannelClosedException)
            {
                // Nobody listens any more.
            }
        }
    }

    public async Task BeatAsync(INodeSession session, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var (state, message) = _condition;
                await session.HeartbeatAsync(status(state, message), cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException)
            {
                // The next one tells more than this one would have.
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            await WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Task.Delay(interval, time, either.Token), Volatile.Read(ref _changed).Task).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        // Changes until the next heartbeat are told by it.
        if (Volatile.Read(ref _changed).Task.IsCompleted)
            Volatile.Write(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private sealed record Condition(NodeState State, string Message);
}
