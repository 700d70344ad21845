using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>One delivery in one slot: looked at, run, settled; its lease kept all the while.</summary>
internal sealed class DeliveryRun(IDelivery delivery, Slot slot, Lease lease, NodeParts node, CancellationToken abandon)
{
    private readonly Settlement _settlement = new(delivery, node.Line, abandon);
    private readonly TaskEventRelay _events = new(delivery, node.Events, node.Options.ReportOutput);
    private readonly DateTimeOffset _started = node.Time.GetUtcNow();

    private TaskDocument Document => delivery.Document;

    private int Number => delivery.FailedAttempts + 1;

    public string TaskId => Document.Id!;

    public TaskResources Resources => Document.Resources;

    /// <summary>The task came to its end here.</summary>
    public bool HasFinishedTask { get; private set; }

    /// <summary>Somebody else is to run the task: nothing was charged to it.</summary>
    public bool IsPutBack { get; private set; }

    public void Cancel() => lease.Cancel();

    /// <summary>Puts the task back without having looked at it.</summary>
    public async Task RefuseAsync()
    {
        await using var held = lease.ConfigureAwait(false);
        await PutBackAsync("The node takes no tasks any more.").ConfigureAwait(false);
    }

    /// <summary>Returns when container and workspace are gone and the queue knows.</summary>
    public async Task RunAsync()
    {
        using var over = new CancellationTokenSource();
        await using var held = lease.ConfigureAwait(false);
        var keeping = lease.KeepAsync(over.Token);
        var reporting = _events.ReportAsync(abandon);
        TaskResult? result;
        try
        {
            result = await DecideAsync(reporting).ConfigureAwait(false);
        }
        finally
        {
            _events.TryComplete();
            await over.CancelAsync().ConfigureAwait(false);
            await keeping.ConfigureAwait(false);
            await reporting.ConfigureAwait(false);
        }

        if (result is null)
            return;
        HasFinishedTask = true;
        // The slot waits for a reader that is slow, and with it the next claim; the lease is over by now.
        await node.Events.KeepAsync(new TaskFinished(TaskId, node.Time.GetUtcNow(), result), Document.ToString(), abandon).ConfigureAwait(false);
    }

    /// <returns>How the task ended; null when it did not end here.</returns>
    private async Task<TaskResult?> DecideAsync(Task reporting)
    {
        AttemptOutcome outcome;
        try
        {
            outcome = await AttemptAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (lease.Stop.IsCancellationRequested && error is OperationCanceledException or TaskFailureException)
        {
            return await StopAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // The last line of defence: whatever a task runs into, it ends with a reason.
            var failure = new TaskFailureException(FailureReason.Internal, $"{error.GetType().Name}: {error.Message}", error);
            outcome = new AttemptOutcome(Unfinished(failure.Reason, failure.Message), failure);
        }

        // What others see comes in order: first that it ran, then how it ended.
        _events.TryComplete();
        await reporting.ConfigureAwait(false);
        if (outcome.Failure is null)
            return await EndAsync(outcome.Result).ConfigureAwait(false);
        return await FailAsync(outcome.Result, outcome.Failure, outcome.MayBePublished).ConfigureAwait(false);
    }

    private async Task<AttemptOutcome> AttemptAsync()
    {
        foreach (var warning in delivery.Warnings)
            _events.TryWrite(new TaskWarned(TaskId, node.Time.GetUtcNow(), warning));
        try
        {
            if (await node.Workshop.FindPublishedAsync(Document, lease.Stop).ConfigureAwait(false) is { } published)
                return new AttemptOutcome(published, null);
        }
        catch (TaskFailureException)
        {
            // The attempt meets the same store and reports what is wrong with it.
        }

        return await node.Workshop.AttemptAsync(Document, Number, slot, _events, lease.AskAsync, lease.Leave, lease.Stop).ConfigureAwait(false);
    }

    private async Task<TaskResult?> EndAsync(TaskResult result)
    {
        node.Health.Succeeded(TaskId);
        return await _settlement.CompleteAsync(result).ConfigureAwait(false) ? result : null;
    }

    private async Task<TaskResult?> FailAsync(TaskResult result, TaskFailureException failure, bool mayBePublished)
    {
        if (mayBePublished && await FindDecidedAsync(OutputPublisher.MayPass, lease.Stop).ConfigureAwait(false) is { } published)
            return await EndAsync(published).ConfigureAwait(false);
        if (lease.Stop.IsCancellationRequested)
            return await StopAsync().ConfigureAwait(false);
        // Before it is back on the queue the node has to have stopped taking, or it would take it again at once.
        if (failure.IsOfTheNode && await node.Health.ReportAsync(TaskId, failure, CancellationToken.None).ConfigureAwait(false))
            return await PutBackAsync(failure.Message).ConfigureAwait(false);
        if (!failure.IsOfTheNode)
            node.Health.Succeeded(TaskId);
        var isLast = !failure.IsRetryable || Number > Document.Retries;
        node.Events.Offer(new NodeTaskEvent(
            new AttemptFailed(TaskId, node.Time.GetUtcNow(), Number, failure.Reason, failure.Message, isLast ? null : new RetrySchedule().After(failure.Reason, Number, 0.5, failure.RetryAfter)), Document.ToString()));
        if (isLast)
            return await _settlement.RejectAsync(result).ConfigureAwait(false) ? result : null;
        await _settlement.RetryAsync(result, failure.RetryAfter).ConfigureAwait(false);
        TellItIsGone();
        return null;
    }

    /// <summary>The attempt was stopped; its container is gone.</summary>
    private async Task<TaskResult?> StopAsync()
    {
        if (lease.IsLost)
        {
            IsPutBack = true;
            node.Events.Offer(new NodeTaskEvent(new TaskWarned(TaskId, node.Time.GetUtcNow(), "The lease was lost: another node has the task, or it is over. What was done here is thrown away."), Document.ToString()));
            TellItIsGone();
            return null;
        }

        if (!lease.IsCancelRequested)
            return await PutBackAsync("The node was stopped.").ConfigureAwait(false);
        // A decision wins over a cancel that came later. Who cancels does not wait for a store to change its mind.
        var published = await FindDecidedAsync(failure => failure.IsRetryable, lease.Leave).ConfigureAwait(false);
        if (published is null && lease.IsLost)
            return await StopAsync().ConfigureAwait(false);
        return await EndAsync(published ?? Unfinished(FailureReason.Canceled, "The task was canceled.")).ConfigureAwait(false);
    }

    private async Task<TaskResult?> PutBackAsync(string why)
    {
        IsPutBack = true;
        await _settlement.ReleaseAsync(why).ConfigureAwait(false);
        TellItIsGone();
        return null;
    }

    /// <summary>To the node's reader: the slot has the task no longer, and it has not ended.</summary>
    private void TellItIsGone() =>
        node.Events.Offer(new NodeTaskEvent(new TaskStateChanged(TaskId, node.Time.GetUtcNow(), TaskState.Queued, Number), Document.ToString()));

    /// <summary>Asks the store until it answers: what is decided must not be told as a failure.</summary>
    /// <param name="mayPass">Whether to ask again after such an answer.</param>
    /// <returns>Null when nothing is decided, or the token gave up.</returns>
    private async Task<TaskResult?> FindDecidedAsync(Func<TaskFailureException, bool> mayPass, CancellationToken cancellationToken)
    {
        for (var tries = 1; !cancellationToken.IsCancellationRequested; tries++)
        {
            try
            {
                return await node.Workshop.FindPublishedAsync(Document, cancellationToken).ConfigureAwait(false);
            }
            catch (TaskFailureException failure) when (mayPass(failure))
            {
                await Task.Delay(RetryBackoff.After(tries, Random.Shared.NextDouble()), node.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is TaskFailureException or OperationCanceledException)
            {
                return null;
            }
        }

        return null;
    }

    private TaskResult Unfinished(FailureReason reason, string message) =>
        TaskResults.Unfinished(Document, reason, message, Number, _started, node.Time.GetUtcNow(), node.Options.Tasks.NodeName);
}
