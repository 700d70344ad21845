using System.Collections.Concurrent;
using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Runs documents on this machine, several at a time, and reports by events. Submit, read <see cref="Events"/>, complete, dispose.</summary>
public sealed class TaskRunner : IAsyncDisposable
{
    private const int EventCapacity = 1024;

    private readonly Channel<TaskEvent> _events = Channel.CreateBounded<TaskEvent>(new BoundedChannelOptions(EventCapacity) { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Slot> _free = [];
    private readonly ConcurrentDictionary<Task, bool> _running = [];
    private readonly IContainerEngine _engine;
    private readonly StoreAccess _stores;
    private readonly TaskRunnerOptions _options;
    private readonly TimeProvider _time;
    private readonly InputCache _cache;
    private readonly OutputPublisher _publisher;
    private readonly RunDirectory _directory;
    private readonly Lazy<Task> _sweep;
    private int _open = 1;
    private int _disposed;

    /// <param name="engine">Stays the caller's to dispose, after the runner.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The work directory can't be used.</exception>
    public TaskRunner(IContainerEngine engine, ObjectStores stores, TaskRunnerOptions options, TimeProvider? time = null)
    {
        options.Validate();
        _engine = engine;
        _stores = new StoreAccess(stores, options.Policy);
        _options = options;
        _time = time ?? TimeProvider.System;
        _cache = new InputCache(new InputCacheOptions { Folder = Path.Combine(options.WorkDirectory, "cache"), MaxBytes = options.InputCacheSize }, time: _time);
        _publisher = new OutputPublisher(_stores.Resolve, time: _time);
        _directory = RunDirectory.Create(options.WorkDirectory);
        _sweep = new Lazy<Task>(() => SweepAsync(_stop.Token));
        for (var index = 0; index < options.Concurrency; index++)
            _free.Add(new Slot(engine, options.Policy, Labels.OfSlot(options.NodeName, _directory.Id)));
    }

    /// <summary>What happened, in order; bounded: a reader that stops reading makes the tasks wait. Ends after <see cref="Complete"/> when the last task has ended.</summary>
    public ChannelReader<TaskEvent> Events => _events.Reader;

    /// <summary>Takes the task when a slot is free; otherwise returns false at once, and an event will come after one is.</summary>
    public bool TrySubmit(TaskDocument task)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (!_free.TryTake(out var slot))
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
        foreach (var slot in _free)
            await CloseAsync(slot).ConfigureAwait(false);
        _events.Writer.TryComplete();
        _directory.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(TaskDocument document, Slot slot)
    {
        var id = document.Id ?? TaskId.New();
        var started = _time.GetUtcNow();
        var run = new TaskRun(document, id, slot, _engine, _stores, _cache, _publisher, _directory, _options, new EventWriter(_events.Writer, id, _time), _time);
        TaskResult result;
        try
        {
            await _sweep.Value.ConfigureAwait(false);
            result = await run.RunAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            result = Unfinished(FailureReason.Canceled, "The task was canceled.");
        }
        catch (Exception error)
        {
            // The last line of defence: whatever a task runs into, it ends with a result.
            result = Unfinished(FailureReason.Internal, $"{error.GetType().Name}: {error.Message}");
        }

        // The slot is free before the event that says so is read.
        _free.Add(slot);
        var finished = new TaskFinished(id, _time.GetUtcNow(), result);
        if (!_events.Writer.TryWrite(finished))
            await WriteUnlessStoppedAsync(finished).ConfigureAwait(false);
        Close();

        TaskResult Unfinished(FailureReason reason, string message) => new()
        {
            Id = id,
            Name = document.Name,
            State = reason.ToState(),
            Reason = reason,
            Message = message,
            Attempts = run.Attempts,
            Started = started,
            Finished = _time.GetUtcNow(),
            Image = document.Image,
            Node = _options.NodeName,
        };
    }

    private async Task CloseAsync(Slot slot)
    {
        try
        {
            await slot.DisposeAsync().ConfigureAwait(false);
        }
        catch (TaskFailureException)
        {
            // The engine is gone; its container is swept when both are back.
            _directory.LeaveForSweep();
        }
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

    /// <summary>Removes what processes on this work directory left that were killed: containers and staged objects first, then the folder that names them. A publication that was decided is finished.</summary>
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var abandoned in RunDirectory.FindAbandoned(_options.WorkDirectory))
        {
            using (abandoned)
            {
                try
                {
                    await _engine.SweepAsync(Labels.OfRun(abandoned.Id), cancellationToken).ConfigureAwait(false);
                    foreach (var attempt in abandoned.Attempts().Where(attempt => attempt.Outputs.Count > 0))
                        await _publisher.RecoverAsync(attempt.Task, attempt.Attempt, attempt.Remotes(), cancellationToken).ConfigureAwait(false);
                    abandoned.Remove();
                }
                catch (Exception error) when (error is TaskFailureException or FormatException or IOException or UnauthorizedAccessException)
                {
                    // Another engine, another store, another user: this run's own tasks do not depend on it, and the next one tries again.
                }
            }
        }
    }
}
