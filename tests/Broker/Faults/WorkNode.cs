using System.Collections.Concurrent;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Claims, holds and completes as a node does, over a node's own line to the queue and its leases; what it runs only takes time.</summary>
internal sealed class WorkNode : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Standing _standing = new(new NodeEvents(), TimeProvider.System);
    private readonly QueueLine _line;
    private int _running;
    private readonly ITaskQueue _queue;
    private readonly Func<string, TimeSpan> _hold;
    private readonly Action<Execution> _started;
    private readonly SemaphoreSlim _slots;
    private readonly Task _claiming;
    private readonly Task _listening;
    private int _troubles;

    private WorkNode(ITaskQueue queue, INodeSession session, int slots, Func<string, TimeSpan> hold, Action<Execution> started)
    {
        (_queue, Session, _hold, _started) = (queue, session, hold, started);
        _slots = new SemaphoreSlim(slots, slots);
        _line = new QueueLine(_standing, TimeProvider.System);
        _claiming = ClaimAsync();
        _listening = ListenAsync();
    }

    public INodeSession Session { get; }

    /// <summary>Tasks that an order to stop came for, with the time.</summary>
    public ConcurrentDictionary<string, long> Canceled { get; } = [];

    /// <summary>Calls of the queue that failed, renewals aside.</summary>
    public int Troubles => _troubles;

    public QueueException? LastTrouble { get; private set; }

    /// <summary>What nobody foresaw; a test fails with it.</summary>
    public Task Failed => Task.WhenAny(_claiming, _listening).Unwrap();

    /// <param name="hold">How long a task runs.</param>
    public static async Task<WorkNode> JoinAsync(string address, string name, QueueOptions options, int slots, Func<string, TimeSpan> hold, Action<Execution> started, CancellationToken cancellationToken)
    {
        var queue = TaskQueues.Open(address, options);
        try
        {
            var registration = new NodeRegistration(name, slots, slots, 1L << 30, "faults 1", TimeSpan.FromSeconds(5));
            return new WorkNode(queue, await queue.JoinAsync(registration, cancellationToken), slots, hold, started);
        }
        catch
        {
            await queue.DisposeAsync();
            throw;
        }
    }

    /// <summary>As if its process were killed.</summary>
    public async Task KillAsync()
    {
        await ((RabbitMqNodeSession)Session).KillAsync();
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_claiming, _listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await Session.DisposeAsync();
        }
        catch (QueueException)
        {
            // The broker may be gone for good.
        }
        await _queue.DisposeAsync();
    }

    private async Task ClaimAsync()
    {
        ConcurrentDictionary<Task, bool> running = [];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _slots.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            IDelivery taken;
            try
            {
                taken = await _line.CallAsync(token => NotedAsync(() => Session.ClaimAsync(ClaimRequest.Anything, token)), _stop.Token);
            }
            catch (Exception error) when (IsOver(error))
            {
                break;
            }
            var execution = new Execution(taken.Document.Id!, Session.Name);
            _started(execution);
            var run = RunAsync(taken, execution);
            running.TryAdd(run, true);
            _ = run.ContinueWith(_ => _slots.Release(), TaskScheduler.Default);
        }
        await Task.WhenAll(running.Keys);
    }

    private async Task RunAsync(IDelivery delivery, Execution execution)
    {
        var started = DateTimeOffset.UtcNow;
        _standing.SetRunning(Interlocked.Increment(ref _running));
        await using var lease = new Lease(delivery, Session.LeaseTime, _line, TimeProvider.System, _stop.Token);
        using var over = new CancellationTokenSource();
        var keeping = lease.KeepAsync(over.Token);
        await Task.Delay(_hold(execution.Task), lease.Stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!lease.IsLost && !_stop.IsCancellationRequested)
            await SettleAsync(delivery, execution, lease.IsCancelRequested, started);
        await over.CancelAsync();
        await keeping;
        _standing.SetRunning(Interlocked.Decrement(ref _running));
    }

    private async Task SettleAsync(IDelivery delivery, Execution execution, bool isCanceled, DateTimeOffset started)
    {
        var end = isCanceled
            ? new TaskEnd { State = TaskState.Canceled, Reason = FailureReason.Canceled, Started = started, Finished = DateTimeOffset.UtcNow }
            : new TaskEnd { State = TaskState.Complete, Started = started, Finished = DateTimeOffset.UtcNow };
        try
        {
            execution.Counted = await _line.SettleAsync(token => NotedAsync(() => delivery.CompleteAsync(end, token)), _stop.Token);
        }
        catch (Exception error) when (IsOver(error))
        {
            // As if the process had ended.
        }
    }

    private async Task ListenAsync()
    {
        try
        {
            await foreach (var signal in Session.ReadSignalsAsync(_stop.Token))
            {
                if (signal is CancelSignal cancel)
                    Canceled.TryAdd(cancel.TaskId, System.Diagnostics.Stopwatch.GetTimestamp());
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private bool IsOver(Exception error) => _stop.IsCancellationRequested && error is OperationCanceledException or ObjectDisposedException or QueueException;

    private async Task<T> NotedAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (QueueException trouble)
        {
            Interlocked.Increment(ref _troubles);
            LastTrouble = trouble;
            throw;
        }
    }
}
