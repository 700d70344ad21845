using System.Collections.Concurrent;
using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Runs documents on this machine, several at a time, and reports by events. Submit, read <see cref="Events"/>, complete, dispose.</summary>
public sealed class TaskRunner : IAsyncDisposable
{
    private const int EventCapacity = 1024;

    private readonly Channel<TaskEvent> _events = Channel.CreateBounded<TaskEvent>(new BoundedChannelOptions(EventCapacity) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _running = [];
    private readonly Workshop _workshop;
    private readonly TaskRunnerOptions _options;
    private readonly TimeProvider _time;
    private readonly Lazy<Task> _sweep;
    private int _open = 1;
    private int _disposed;

    /// <param name="engine">Stays the caller's to dispose, after the runner.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The work directory can't be used.</exception>
    public TaskRunner(IContainerEngine engine, ObjectStores stores, TaskRunnerOptions options, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _workshop = new Workshop(engine, stores, options, _time);
        _options = options;
        _sweep = new Lazy<Task>(() => _workshop.SweepAsync(_stop.Token));
    }

    /// <summary>What happened, in order; bounded: a reader that stops reading makes the tasks wait. Ends after <see cref="Complete"/> when the last task has ended.</summary>
    public ChannelReader<TaskEvent> Events => _events.Reader;

    /// <summary>Takes the task when a slot is free; otherwise returns false at once, and an event will come after one is.</summary>
    public bool TrySubmit(TaskDocument task)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (!_workshop.TryTakeSlot(out var slot))
            return false;
        Interlocked.Increment(ref _open);
        var running = Task.Run(() => RunAsync(task, slot));
        _running.TryAdd(running, true);
        _ = running.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
        return true;
    }

    /// <summary>No more tasks will come.</summary>
    public void Complete() => Close();

    /// <summary>What submitting the task to a runner with these options would make happen. Looks, and changes nothing.</summary>
    /// <exception cref="TaskFailureException">The engine does not answer, or the policy denies the document.</exception>
    public static Task<TaskPlan> PlanAsync(IContainerEngine engine, ObjectStores stores, TaskRunnerOptions options, TaskDocument task, CancellationToken cancellationToken) =>
        new PlanBuilder(engine, new StoreAccess(stores, options.Policy), options).BuildAsync(task, cancellationToken);

    /// <summary>Cancels what still runs, waits until containers and workspaces are gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        // A task that waits for room in the channel has seen the cancellation; nothing here waits for a reader.
        await Task.WhenAll(_running.Keys).ConfigureAwait(false);
        await _workshop.DisposeAsync().ConfigureAwait(false);
        _events.Writer.TryComplete();
        _stop.Dispose();
    }

    private async Task RunAsync(TaskDocument document, Slot slot)
    {
        var task = document.Id is null ? document with { Id = TaskId.New() } : document;
        var id = task.Id!;
        var started = _time.GetUtcNow();
        var run = new TaskRun(task, document.Id is not null, _workshop, slot, _events.Writer, _time);
        TaskResult result;
        try
        {
            await _sweep.Value.ConfigureAwait(false);
            result = await run.RunAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (_stop.IsCancellationRequested && error is (OperationCanceledException or TaskFailureException))
        {
            // A failure comes here only when it was canceled in the middle of publishing, and the store did not say what is decided.
            result = Unfinished(FailureReason.Canceled, "The task was canceled.");
        }
        catch (Exception error)
        {
            // The last line of defence: whatever a task runs into, it ends with a result.
            result = Unfinished(FailureReason.Internal, $"{error.GetType().Name}: {error.Message}");
        }

        // The slot is free before the event that says so is read.
        _workshop.Return(slot);
        var finished = new TaskFinished(id, _time.GetUtcNow(), result);
        if (!_events.Writer.TryWrite(finished))
            await WriteUnlessStoppedAsync(finished).ConfigureAwait(false);
        Close();

        TaskResult Unfinished(FailureReason reason, string message) =>
            TaskResults.Unfinished(task, reason, message, run.Attempts, started, _time.GetUtcNow(), _options.NodeName);
    }

    private async Task WriteUnlessStoppedAsync(TaskEvent happened)
    {
        try
        {
            await _events.Writer.WriteAsync(happened, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Disposed: nobody reads any more.
        }
    }

    private void Close()
    {
        if (Interlocked.Decrement(ref _open) == 0)
            _events.Writer.TryComplete();
    }
}
