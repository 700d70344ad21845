using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>What all attempts of one process share: the container engine, the stores, the input cache, the slots, and a folder of its own. Makes single attempts.</summary>
internal sealed class Workshop : IAsyncDisposable
{
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lastLook = TimeSpan.FromSeconds(5);

    private readonly ConcurrentBag<Slot> _free = [];
    private readonly IContainerEngine _engine;
    private readonly StoreAccess _stores;
    private readonly TaskRunnerOptions _options;
    private readonly TimeProvider _time;
    private readonly InputCache _cache;
    private readonly OutputPublisher _publisher;
    private readonly RunDirectory _directory;
    private readonly Leftovers _leftovers;

    /// <param name="engine">Stays the caller's to dispose, after the workshop.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The work directory can't be used.</exception>
    public Workshop(IContainerEngine engine, ObjectStores stores, TaskRunnerOptions options, TimeProvider time)
    {
        options.Validate();
        _engine = engine;
        _stores = new StoreAccess(stores, options.Policy);
        _options = options;
        _time = time;
        _cache = new InputCache(new InputCacheOptions { Folder = Path.Combine(options.WorkDirectory, "cache"), MaxBytes = options.InputCacheSize }, stores.Scheduler);
        _publisher = new OutputPublisher(_stores.Resolve, stores.Scheduler);
        _directory = RunDirectory.Create(options.WorkDirectory);
        _leftovers = new Leftovers(engine);
        for (var index = 0; index < options.Concurrency; index++)
            _free.Add(new Slot(engine, options.Policy, Labels.OfSlot(options.NodeName, _directory.Id)));
    }

    public bool TryTakeSlot([MaybeNullWhen(false)] out Slot slot) => _free.TryTake(out slot);

    public void Return(Slot slot) => _free.Add(slot);

    /// <summary>What a publication that is decided says of the task, finished first where that is not done; null when nothing is decided.</summary>
    /// <exception cref="TaskFailureException">The store can't say.</exception>
    public async Task<TaskResult?> FindPublishedAsync(TaskDocument task, CancellationToken cancellationToken) =>
        task.Outputs.Count > 0
        && await _publisher.FinishAsync(task.Id!, task.Outputs[0].Remote, cancellationToken).ConfigureAwait(false) is { } publication
        && TryResult(publication) is { } result
            ? result with { Message = "Published before; nothing ran." }
            : null;

    /// <summary>Which bucket a remote path lies in, whatever names lead there.</summary>
    /// <exception cref="TaskFailureException">The policy or the mapping does not let it.</exception>
    public (object Store, string Bucket) BucketOf(RemotePath remote)
    {
        var location = _stores.Resolve(remote);
        return (location.Store, location.Bucket);
    }

    /// <summary>Removes from the bucket what attempts staged long ago and never published.</summary>
    /// <param name="warn">Told of what has to stay.</param>
    public Task SweepStagingAsync(RemotePath remote, Action<string> warn, CancellationToken cancellationToken) => _publisher.SweepAsync(remote, OutputPublisher.DefaultSweepAge, warn, cancellationToken);

    /// <summary>One try at the task, to its publication or its failure's.</summary>
    /// <param name="task">With its id.</param>
    /// <param name="number">From 1.</param>
    /// <param name="beforeStart">Asked when all is ready, right before the first command starts; what it throws ends the attempt.</param>
    /// <param name="finishing">Ends what follows the decision, which a cancel comes too late for.</param>
    public async Task<AttemptOutcome> AttemptAsync(
        TaskDocument task, int number, Slot slot, ChannelWriter<TaskEvent> events, Func<CancellationToken, Task>? beforeStart, CancellationToken finishing, CancellationToken cancellationToken)
    {
        var started = _time.GetUtcNow();
        try
        {
            var attemptId = Guid.CreateVersion7().ToString("N");
            using var workspace = new Workspace(_directory, new AttemptJournal(task.Id!, attemptId, [.. task.Outputs.Select(output => output.Remote.ToString())]));
            using var log = new TaskLog(task.Outputs.Any(output => output.Kind == TaskOutputKind.Log) ? workspace.NewFile() : null, _time);
            return await AttemptAsync(task, attemptId, number, slot, events, beforeStart, workspace, log, finishing, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The workspace could not be made, or not be closed: its last buffers are written then.
            var failure = LocalFailure.From(error);
            return new AttemptOutcome(TaskResults.Unfinished(task, failure.Reason, failure.Message, number, started, _time.GetUtcNow(), _options.NodeName), failure);
        }
    }

    private async Task<AttemptOutcome> AttemptAsync(
        TaskDocument task, string attemptId, int number, Slot slot, ChannelWriter<TaskEvent> events, Func<CancellationToken, Task>? beforeStart, Workspace workspace, TaskLog log, CancellationToken finishing, CancellationToken cancellationToken)
    {
        var context = new AttemptContext
        {
            Document = task,
            TaskId = task.Id!,
            AttemptId = attemptId,
            Number = number,
            Options = _options,
            Workspace = workspace,
            Log = log,
            Events = new EventWriter(events, task.Id!, _time),
            Time = _time,
            BeforeStart = beforeStart ?? (_ => Task.CompletedTask),
            Finishing = finishing,
        };
        var attempt = new Attempt(context, _engine, _stores, _cache, _publisher, slot, _leftovers, Labels.OfTask(_options.NodeName, _directory.Id, task.Id!, attemptId));
        AttemptOutcome outcome;
        try
        {
            outcome = await RunAsync(attempt, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (attempt.MayBePublished)
        {
            // Canceled, but a decision wins over that.
            if (await SettleAsync(context, finishing).ConfigureAwait(false) is (_, { } finished))
                return new AttemptOutcome(finished, null);
            throw;
        }
        if (outcome.Failure is null || !attempt.MayBePublished)
            return outcome;
        var (isKnown, published) = await SettleAsync(context, finishing).ConfigureAwait(false);
        return published is null ? outcome with { MayBePublished = !isKnown } : new AttemptOutcome(published, null);
    }

    private static async Task<AttemptOutcome> RunAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        try
        {
            return new AttemptOutcome(await attempt.RunAsync(cancellationToken).ConfigureAwait(false), null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested && AsFailure(error) is { } failure)
        {
            var result = await attempt.PublishFailureAsync(failure, cancellationToken).ConfigureAwait(false);
            return new AttemptOutcome(result, result.State == TaskState.Complete ? null : failure);
        }
    }

    /// <summary>What became of an attempt that failed or was stopped when its outputs may have been decided: a decision is finished, what is not decided is abandoned, and what can't be known is left to the sweep of the next process on this work directory.</summary>
    /// <returns>Whether the store said how it stands, and what is published.</returns>
    private async Task<(bool IsKnown, TaskResult? Published)> SettleAsync(AttemptContext context, CancellationToken finishing)
    {
        // Also when the attempt's time is over the store is asked: mostly it answers at once, and then nothing has to be left to a sweep.
        using var limit = new CancellationTokenSource(s_settling, _time);
        using var hastened = finishing.Register(() => limit.CancelAfter(s_lastLook));
        try
        {
            var publication = await _publisher.RecoverAsync(context.TaskId, context.AttemptId, [.. context.Document.Outputs.Select(output => output.Remote)], limit.Token).ConfigureAwait(false);
            return (true, publication is null ? null : TryResult(publication) is { } result ? result with { Attempts = context.Number } : null);
        }
        catch (Exception error) when (error is TaskFailureException or OperationCanceledException)
        {
            context.Workspace.KeepJournal();
            _directory.LeaveForSweep();
            return (false, null);
        }
    }

    private static TaskResult? TryResult(Publication publication) => AttemptRecord.FromJson(publication.Record) is { } record
        ? TaskResults.From(record, publication.Outputs, publication.DecisionPath.ToString())
        : null;

    /// <summary>Removes what processes on this work directory left that were killed: containers and staged objects first, then the folder that names them. A publication that was decided is finished.</summary>
    /// <remarks>Also what attempts of this run could not remove.</remarks>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await _leftovers.SweepAsync(cancellationToken).ConfigureAwait(false);
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

    /// <summary>Every slot has to be back. What it keeps on the engine is removed.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var slot in _free)
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
        if (!await _leftovers.SweepAsync(CancellationToken.None).ConfigureAwait(false))
            _directory.LeaveForSweep();
        _directory.Dispose();
    }

    private static TaskFailureException? AsFailure(Exception error) => error switch
    {
        TaskFailureException failure => failure,
        IOException or UnauthorizedAccessException => LocalFailure.From(error),
        _ => null,
    };
}
