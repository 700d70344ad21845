using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Takes tasks from a queue and runs them, until it is told to stop, has nothing to do for long enough, or has done its share. Run once, read <see cref="Events"/>, dispose.</summary>
public sealed class Node : IAsyncDisposable
{
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NodeEvents _events = new();
    private readonly ITaskQueue _queue;
    private readonly IContainerEngine _engine;
    private readonly ObjectStores _stores;
    private readonly NodeOptions _options;
    private readonly TimeProvider _time;
    private Exception? _failure;
    private int _started;
    private int _disposed;

    /// <param name="queue">Stays the caller's to dispose, after the node; the engine too.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public Node(ITaskQueue queue, IContainerEngine engine, ObjectStores stores, NodeOptions options, TimeProvider? time = null)
    {
        options.Validate();
        (_queue, _engine, _stores, _options, _time) = (queue, engine, stores, options, time ?? TimeProvider.System);
    }

    /// <summary>What happens, in order. A reader that stops reading keeps the node from taking further tasks, but does not hold up those that run; tasks' progress is dropped for it, ends and states are not. Ends with <see cref="RunAsync"/>.</summary>
    public ChannelReader<NodeEvent> Events => _events.Reader;

    /// <summary>Running tasks finish, nothing new is taken.</summary>
    public void Drain() => Cancel(_drain);

    /// <summary>Containers are stopped, their tasks are back on the queue at once.</summary>
    public void Abandon()
    {
        Cancel(_drain);
        Cancel(_abandon);
    }

    /// <summary>Joins the queue and works.</summary>
    /// <param name="cancellationToken">Abandons.</param>
    /// <exception cref="QueueException">The queue can't be joined (<see cref="QueueFailure.NodeNameTaken"/> among others), or later can't be used for a reason that waiting would not help.</exception>
    /// <exception cref="IOException">The work directory can't be used.</exception>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (Interlocked.Exchange(ref _started, 1) != 0)
            throw new InvalidOperationException("A node runs once.");
        var abandoning = cancellationToken.Register(Abandon);
        try
        {
            await JoinAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_abandon.IsCancellationRequested)
        {
            // Abandoned before it had begun.
        }
        finally
        {
            await abandoning.DisposeAsync().ConfigureAwait(false);
            _events.Complete();
            _ended.SetResult();
        }
    }

    /// <summary>Abandons what still runs and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Abandon();
        if (Volatile.Read(ref _started) != 0)
            await _ended.Task.ConfigureAwait(false);
        _events.Complete();
        _drain.Dispose();
        _abandon.Dispose();
    }

    private async Task JoinAsync()
    {
        var standing = new Standing(_events, _time);
        var runs = new Runs(_options.Cpus ?? Environment.ProcessorCount, _options.Memory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, standing, _time);
        var workshop = new Workshop(_engine, _stores, _options.Tasks, _time);
        await using var open = workshop.ConfigureAwait(false);
        var node = new NodeParts
        {
            Options = _options,
            Time = _time,
            Workshop = workshop,
            Events = _events,
            Standing = standing,
            Line = new QueueLine(standing, _time),
            Health = new NodeHealth(_engine, _options.Tasks.WorkDirectory, _time, standing, runs.Wake),
            Runs = runs,
        };
        await MeasureAsync(node).ConfigureAwait(false);
        var registration = new NodeRegistration(_options.Tasks.NodeName, _options.Tasks.Concurrency, runs.Cpus, runs.Memory, Software.Name, _options.HeartbeatInterval);
        var seat = await Seat.TakeAsync(_queue, node.Line, registration, _abandon.Token).ConfigureAwait(false);
        await using (seat.ConfigureAwait(false))
        {
            await TellQueueAsync().ConfigureAwait(false);
            if (seat.Session.Caution is { } caution)
                _events.Offer(new NodeWarned(_time.GetUtcNow(), caution));
            await WorkAsync(node, seat).ConfigureAwait(false);
        }
        standing.SetLeft();
        if (_failure is not null)
            throw _failure is QueueException known ? new QueueException(known.Failure, known.Message, known) : new InvalidOperationException($"The node failed: {_failure.Message}", _failure);
    }

    /// <summary>What the options leave open is what the engine has. While it does not answer the node is registered with what this machine has, and takes nothing.</summary>
    private async Task MeasureAsync(NodeParts node)
    {
        try
        {
            var info = await node.Health.AskEngineAsync(_drain.Token).ConfigureAwait(false);
            node.Runs.Resize(_options.Cpus ?? info.Cpus, _options.Memory ?? info.Memory);
        }
        catch (TaskFailureException failure)
        {
            node.Health.Report(failure);
        }
        catch (OperationCanceledException) when (_drain.IsCancellationRequested)
        {
            // It will take nothing.
        }
    }

    /// <summary>What the broker allowed is known when the node has joined; nothing depends on it.</summary>
    private async Task TellQueueAsync()
    {
        try
        {
            var info = await _queue.GetInfoAsync(_abandon.Token).ConfigureAwait(false);
            _events.Offer(new NodeJoinedQueue(_time.GetUtcNow(), info.Address, info.Kind));
        }
        catch (Exception error) when (error is QueueException or OperationCanceledException)
        {
            // The loops find out for themselves.
        }
    }

    private async Task WorkAsync(NodeParts node, Seat seat)
    {
        using var over = new CancellationTokenSource();
        var sweeps = new BucketSweeps(node.Workshop, warning => _events.Offer(new NodeWarned(_time.GetUtcNow(), warning)), _time);
        var claims = new ClaimLoop(node, seat, token => PrepareAsync(node, seat, token), sweeps.See, Fail, _abandon.Token);
        Task[] loops =
        [
            OrFailAsync(new Heart(seat, node.Standing, node.Runs, _events, _options.HeartbeatInterval, _time).BeatAsync(over.Token)),
            OrFailAsync(new SignalLoop(seat, node, Drain, Abandon).ObeyAsync(over.Token)),
            OrFailAsync(sweeps.RunAsync(over.Token)),
        ];
        var draining = _drain.Token.Register(node.Standing.SetDraining);
        await using (draining.ConfigureAwait(false))
        {
            await OrFailAsync(claims.RunAsync(_drain.Token)).ConfigureAwait(false);
            node.Standing.SetDraining();
            await claims.WaitAsync().ConfigureAwait(false);
        }

        await over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(loops).ConfigureAwait(false);
    }

    private async Task PrepareAsync(NodeParts node, Seat seat, CancellationToken cancellationToken)
    {
        var info = await node.Health.AskEngineAsync(cancellationToken).ConfigureAwait(false);
        var (cpus, memory) = (_options.Cpus ?? info.Cpus, _options.Memory ?? info.Memory);
        if ((cpus, memory) != (node.Runs.Cpus, node.Runs.Memory) && node.Runs.Idle is not null)
        {
            node.Runs.Resize(cpus, memory);
            await seat.ChangeAsync(cpus, memory, cancellationToken).ConfigureAwait(false);
        }

        await node.Workshop.SweepAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A loop that ends with an error ends the node: one that is connected and deaf is worse than none.</summary>
    private async Task OrFailAsync(Task loop)
    {
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    private void Fail(Exception error)
    {
        Interlocked.CompareExchange(ref _failure, error, null);
        Abandon();
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }
}
