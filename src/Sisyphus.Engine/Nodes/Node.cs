using System.Collections.Concurrent;
using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Nodes;

/// <summary>Takes tasks from a queue and runs them, until it is told to stop, has nothing to do for long enough, or has done its share. Run once, read <see cref="Events"/>, dispose.</summary>
public sealed class Node : IAsyncDisposable
{
    private const int EventCapacity = 1024;
    private static readonly TimeSpan s_shortestIdle = TimeSpan.FromMilliseconds(500);

    private readonly Channel<NodeEvent> _events = Channel.CreateBounded<NodeEvent>(new BoundedChannelOptions(EventCapacity) { SingleReader = true });
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly ConcurrentDictionary<string, DeliveryRun> _runs = new();
    private readonly ITaskQueue _queue;
    private readonly IContainerEngine _engine;
    private readonly ObjectStores _stores;
    private readonly NodeOptions _options;
    private readonly TimeProvider _time;
    private readonly Heart _heart;
    private long _finished;

    /// <param name="queue">Stays the caller's to dispose, after the node; the engine too.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public Node(ITaskQueue queue, IContainerEngine engine, ObjectStores stores, NodeOptions options, TimeProvider? time = null)
    {
        options.Validate();
        (_queue, _engine, _stores, _options, _time) = (queue, engine, stores, options, time ?? TimeProvider.System);
        _heart = new Heart(options.HeartbeatInterval, _time, Status, _events.Writer);
    }

    /// <summary>What happens, in order. A reader that stops reading keeps the node from taking further tasks, but does not hold up those that run. Ends with <see cref="RunAsync"/>.</summary>
    public ChannelReader<NodeEvent> Events => _events.Reader;

    /// <summary>Running tasks finish, nothing new is taken.</summary>
    public void Drain() => _drain.Cancel();

    /// <summary>Containers are stopped, their tasks are back on the queue at once.</summary>
    public void Abandon()
    {
        _drain.Cancel();
        _abandon.Cancel();
    }

    /// <summary>Joins the queue and works.</summary>
    /// <param name="cancellationToken">Abandons.</param>
    /// <exception cref="QueueException">The queue can't be joined: <see cref="QueueFailure.NodeNameTaken"/> among others.</exception>
    /// <exception cref="IOException">The work directory can't be used.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var abandoning = cancellationToken.Register(Abandon).ConfigureAwait(false);
        try
        {
            await using var workshop = new Workshop(_engine, _stores, _options.Tasks, _time);
            var health = new NodeHealth(_engine, _options.Tasks.WorkDirectory, _time, _heart);
            // Nobody knows what fits before the engine has said what there is.
            var capacity = await health.FindCapacityAsync(_options, _drain.Token).ConfigureAwait(false);
            if (capacity is null)
                return;
            var session = await JoinAsync(capacity).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
                await WorkAsync(session, workshop, health, capacity).ConfigureAwait(false);
        }
        finally
        {
            _events.Writer.TryComplete();
        }
    }

    public ValueTask DisposeAsync()
    {
        Abandon();
        _drain.Dispose();
        _abandon.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<INodeSession> JoinAsync(Capacity capacity) => _queue.JoinAsync(
        new NodeRegistration(_options.Tasks.NodeName, _options.Tasks.Concurrency, capacity.Cpus, capacity.Memory, Software.Name, _options.HeartbeatInterval), _abandon.Token);

    private async Task WorkAsync(INodeSession session, Workshop workshop, NodeHealth health, Capacity capacity)
    {
        using var over = new CancellationTokenSource();
        var heartbeats = _heart.BeatAsync(session, over.Token);
        var signals = ObeyAsync(session, over.Token);
        try
        {
            await workshop.SweepAsync(_abandon.Token).ConfigureAwait(false);
            await ClaimAsync(session, workshop, health, capacity).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_abandon.IsCancellationRequested)
        {
            // The runs below have heard of it too.
        }
        finally
        {
            await _heart.SetAsync(NodeState.Draining, "").ConfigureAwait(false);
            await Task.WhenAll(_runs.Values.Select(run => run.Ended)).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(heartbeats, signals).ConfigureAwait(false);
        }
    }

    private async Task ClaimAsync(INodeSession session, Workshop workshop, NodeHealth health, Capacity capacity)
    {
        var taken = 0;
        var idleSince = _time.GetTimestamp();
        while (!_drain.IsCancellationRequested && taken != _options.MaxTasks)
        {
            if (health.IsTroubled)
            {
                await health.RecoverAsync(_drain.Token).ConfigureAwait(false);
                idleSince = _time.GetTimestamp();
                continue;
            }
            var changed = capacity.NextChange();
            if (!workshop.TryTakeSlot(out var slot))
            {
                await Task.WhenAny(changed, Task.Delay(Timeout.InfiniteTimeSpan, _drain.Token)).ConfigureAwait(false);
                continue;
            }
            var delivery = await TryClaimAsync(session, capacity.Free(_options.Workflows), changed, idleSince).ConfigureAwait(false);
            if (delivery is null)
            {
                workshop.Return(slot);
                if (changed.IsCompleted || !_runs.IsEmpty)
                    idleSince = _time.GetTimestamp();
                else if (IsIdle(idleSince))
                    return;
                continue;
            }
            taken++;
            Start(delivery, session, workshop, slot, health, capacity);
        }
    }

    /// <returns>Null when the wait ended without a task: the room has changed, the node is idle or is to stop, or the queue does not answer.</returns>
    private async Task<IDelivery?> TryClaimAsync(INodeSession session, ClaimRequest request, Task changed, long idleSince)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_drain.Token);
        if (_options.IdleTimeout is { } limit && _runs.IsEmpty)
        {
            var left = (limit > s_shortestIdle ? limit : s_shortestIdle) - _time.GetElapsedTime(idleSince);
            stop.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1));
        }
        var claim = ClaimOrFailAsync(session, request, stop.Token);
        if (await Task.WhenAny(claim, changed).ConfigureAwait(false) == changed)
            await stop.CancelAsync().ConfigureAwait(false);
        return await claim.ConfigureAwait(false);
    }

    private async Task<IDelivery?> ClaimOrFailAsync(INodeSession session, ClaimRequest request, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var delivery = await session.ClaimAsync(request, cancellationToken).ConfigureAwait(false);
                await _heart.SetAsync(NodeState.Busy, "").ConfigureAwait(false);
                return delivery;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return null;
            }
            catch (QueueException failure) when (failure.Failure is QueueFailure.Unavailable or QueueFailure.Full)
            {
                await _heart.SetAsync(NodeState.Paused, failure.Message).ConfigureAwait(false);
                await Task.Delay(RetryBackoff.After(tries, Random.Shared.NextDouble()), _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private bool IsIdle(long since) =>
        _options.IdleTimeout is { } limit && _time.GetElapsedTime(since) >= (limit > s_shortestIdle ? limit : s_shortestIdle) - TimeSpan.FromMilliseconds(20);

    private void Start(IDelivery delivery, INodeSession session, Workshop workshop, Slot slot, NodeHealth health, Capacity capacity)
    {
        var run = new DeliveryRun(delivery, session.LeaseTime, workshop, slot, health, _events.Writer, _time, _abandon.Token);
        capacity.Take(delivery.Document.Resources);
        _runs[delivery.Document.Id!] = run;
        run.Start(() =>
        {
            _runs.TryRemove(delivery.Document.Id!, out _);
            if (run.HasFinishedTask)
                Interlocked.Increment(ref _finished);
            workshop.Return(slot);
            capacity.GiveBack(delivery.Document.Resources);
            return _heart.SetAsync(_runs.IsEmpty ? NodeState.Idle : NodeState.Busy, "");
        });
    }

    private async Task ObeyAsync(INodeSession session, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var signal in session.ReadSignalsAsync(cancellationToken).ConfigureAwait(false))
                    Obey(signal);
                return;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (QueueException)
            {
                await Task.Delay(_options.HeartbeatInterval, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Obey(NodeSignal signal)
    {
        switch (signal)
        {
            case CancelSignal cancel when _runs.TryGetValue(cancel.TaskId, out var run):
                run.Cancel();
                break;
            case StopSignal { How: NodeStop.Drain }:
                Drain();
                break;
            case StopSignal:
                Abandon();
                break;
        }
    }

    private NodeStatus Status(NodeState state, string message)
    {
        var running = _runs.Values.ToArray();
        return new NodeStatus(
            _drain.IsCancellationRequested ? NodeState.Draining : state,
            [.. running.Select(run => run.TaskId)],
            running.Sum(run => run.Resources.Cpus ?? 0),
            running.Sum(run => run.Resources.Memory ?? 0),
            LoadAverage.Read(),
            Interlocked.Read(ref _finished),
            message);
    }
}
