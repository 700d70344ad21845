using System.Collections.Concurrent;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Claims, holds and completes, as a node does: renews every third of the lease time, and tries again whatever the queue could not do.</summary>
internal sealed class WorkNode : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
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
        _claiming = ClaimAsync();
        _listening = ListenAsync();
    }

    public INodeSession Session { get; }

    /// <summary>Tasks that an order to stop came for, with the time.</summary>
    public ConcurrentDictionary<string, long> Canceled { get; } = [];

    /// <summary>Calls of the queue that failed.</summary>
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
            var taken = await TryAsync(() => Session.ClaimAsync(ClaimRequest.Anything, _stop.Token));
            if (taken is null)
            {
                _slots.Release();
                continue;
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
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        over.CancelAfter(_hold(execution.Task));
        var lease = LeaseState.Held;
        for (var pause = Session.LeaseTime / 3; !over.IsCancellationRequested && lease == LeaseState.Held;)
        {
            await Task.Delay(pause, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (over.IsCancellationRequested)
                break;
            var renewed = await TryAsync(async () => (object)await delivery.RenewAsync(_stop.Token));
            pause = renewed is null ? s_pause : Session.LeaseTime / 3;
            lease = renewed is LeaseState state ? state : lease;
        }
        var end = lease == LeaseState.CancelRequested
            ? new TaskEnd { State = TaskState.Canceled, Reason = FailureReason.Canceled, Started = started, Finished = DateTimeOffset.UtcNow }
            : new TaskEnd { State = TaskState.Complete, Started = started, Finished = DateTimeOffset.UtcNow };
        while (lease != LeaseState.Lost && !_stop.IsCancellationRequested && execution.Counted is null)
            execution.Counted = await TryAsync(async () => (object)await delivery.CompleteAsync(end, _stop.Token)) as bool?;
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

    private async Task<T?> TryAsync<T>(Func<Task<T>> call)
        where T : class
    {
        try
        {
            return await call();
        }
        catch (QueueException trouble)
        {
            Interlocked.Increment(ref _troubles);
            LastTrouble = trouble;
            await Task.Delay(s_pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return null;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return null;
        }
        catch (ObjectDisposedException) when (_stop.IsCancellationRequested)
        {
            return null;
        }
    }
}
