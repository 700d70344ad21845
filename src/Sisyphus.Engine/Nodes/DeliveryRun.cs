using System.Threading.Channels;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>One delivery in one slot: looked at, run, settled; its lease renewed all the while.</summary>
internal sealed class DeliveryRun(
    IDelivery delivery,
    TimeSpan leaseTime,
    Workshop workshop,
    Slot slot,
    NodeHealth health,
    ChannelWriter<NodeEvent> events,
    TimeProvider time,
    CancellationToken abandon)
{
    private const int EventCapacity = 256;

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(abandon);
    private readonly Settlement _settlement = new(delivery, time, abandon);
    private readonly DateTimeOffset _started = time.GetUtcNow();
    private volatile bool _cancelRequested;
    private volatile bool _lost;
    private TaskDocument Document => delivery.Document;

    public string TaskId => delivery.Document.Id!;

    public TaskResources Resources => delivery.Document.Resources;

    /// <summary>The task came to its end here.</summary>
    public bool HasFinishedTask { get; private set; }

    /// <summary>Ends, without an error, when all is over.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <param name="afterwards">Runs last, before <see cref="Ended"/> ends.</param>
    public void Start(Func<Task> afterwards) => Ended = Task.Run(async () =>
    {
        try
        {
            await RunAsync().ConfigureAwait(false);
        }
        finally
        {
            await afterwards().ConfigureAwait(false);
            _stop.Dispose();
        }
    });

    /// <summary>Somebody wants the task canceled.</summary>
    public void Cancel()
    {
        _cancelRequested = true;
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    private async Task RunAsync()
    {
        using var over = new CancellationTokenSource();
        var renewals = RenewAsync(over.Token);
        try
        {
            if (await DecideAsync().ConfigureAwait(false) is { } result)
            {
                HasFinishedTask = true;
                await WriteAsync(new TaskFinished(TaskId, time.GetUtcNow(), result)).ConfigureAwait(false);
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await renewals.ConfigureAwait(false);
        }
    }

    /// <returns>How the task ended; null when it did not end here.</returns>
    private async Task<TaskResult?> DecideAsync()
    {
        try
        {
            foreach (var warning in delivery.Warnings)
                await _settlement.WarnAsync(warning).ConfigureAwait(false);
            if (await FindPublishedAsync(_stop.Token).ConfigureAwait(false) is { } published)
                return await EndAsync(published).ConfigureAwait(false);
            var (result, failure) = await AttemptAsync().ConfigureAwait(false);
            return failure is null ? await EndAsync(result).ConfigureAwait(false) : await FailAsync(result, failure).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return await StopAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // The last line of defence: whatever a task runs into, it ends with a reason.
            var failure = new TaskFailureException(FailureReason.Internal, $"{error.GetType().Name}: {error.Message}", error);
            return await FailAsync(Unfinished(failure), failure).ConfigureAwait(false);
        }
    }

    private async Task<(TaskResult Result, TaskFailureException? Failure)> AttemptAsync()
    {
        var channel = Channel.CreateBounded<TaskEvent>(new BoundedChannelOptions(EventCapacity) { SingleReader = true });
        var pump = PumpAsync(channel.Reader);
        try
        {
            return await workshop.AttemptAsync(Document, delivery.FailedAttempts + 1, slot, channel.Writer, AskLeaseAsync, _stop.Token).ConfigureAwait(false);
        }
        finally
        {
            channel.Writer.Complete();
            await pump.ConfigureAwait(false);
        }
    }

    private async Task<TaskResult?> EndAsync(TaskResult result)
    {
        health.Succeeded();
        return await _settlement.CompleteAsync(result).ConfigureAwait(false) ? result : null;
    }

    private async Task<TaskResult?> FailAsync(TaskResult result, TaskFailureException failure)
    {
        // Published by another attempt while this one failed.
        if (result.State == TaskState.Complete)
            return await EndAsync(result).ConfigureAwait(false);
        if (NodeHealth.IsOfTheNode(failure))
        {
            health.Report(failure);
            await _settlement.ReleaseAsync(failure.Message).ConfigureAwait(false);
            return null;
        }
        if (failure.IsRetryable && delivery.FailedAttempts < Document.Retries)
        {
            if (await _settlement.RetryAsync(result).ConfigureAwait(false))
                await WriteAsync(new TaskWarned(TaskId, time.GetUtcNow(), $"Attempt {delivery.FailedAttempts + 1} failed ({failure.Reason.ToWord()}) and will be made again: {failure.Message}")).ConfigureAwait(false);
            return null;
        }
        return await _settlement.RejectAsync(result).ConfigureAwait(false) ? result : null;
    }

    /// <summary>The attempt was stopped; its container is gone.</summary>
    private async Task<TaskResult?> StopAsync()
    {
        if (_lost)
            return null;
        if (!_cancelRequested)
        {
            await _settlement.ReleaseAsync("The node was stopped.").ConfigureAwait(false);
            return null;
        }
        // A decision wins over a cancel that came later.
        var result = await FindPublishedAsync(abandon).ConfigureAwait(false) ?? Unfinished(new TaskFailureException(FailureReason.Canceled, "The task was canceled."));
        return await _settlement.CompleteAsync(result).ConfigureAwait(false) ? result : null;
    }

    private async Task<TaskResult?> FindPublishedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await workshop.FindPublishedAsync(Document, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException)
        {
            // The attempt meets the same store and reports what is wrong with it.
            return null;
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(leaseTime / 3, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                return;
            await AskLeaseAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Renews the lease and obeys the answer. A queue that does not answer is no reason to stop: the lease may still hold, and publishing is exclusive anyway.</summary>
    private async Task AskLeaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            var state = await delivery.RenewAsync(cancellationToken).ConfigureAwait(false);
            if (state == LeaseState.Held)
                return;
            _lost |= state == LeaseState.Lost;
            _cancelRequested |= state == LeaseState.CancelRequested;
            await _stop.CancelAsync().ConfigureAwait(false);
        }
        catch (QueueException)
        {
            return;
        }
        _stop.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Tells the queue what others are to see; the rest goes to the node's reader as far as it keeps up.</summary>
    private async Task PumpAsync(ChannelReader<TaskEvent> channel)
    {
        await foreach (var happened in channel.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            events.TryWrite(new NodeTaskEvent(happened, Document.ToString()));
            if (happened is TaskStateChanged change)
                await _settlement.ReportAsync(change.State).ConfigureAwait(false);
            else if (happened is TaskWarned warning)
                await _settlement.WarnAsync(warning.Message).ConfigureAwait(false);
        }
    }

    private async Task WriteAsync(TaskEvent happened)
    {
        try
        {
            await events.WriteAsync(new NodeTaskEvent(happened, Document.ToString()), abandon).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or ChannelClosedException)
        {
            events.TryWrite(new NodeTaskEvent(happened, Document.ToString()));
        }
    }

    private TaskResult Unfinished(TaskFailureException failure) => new()
    {
        Id = TaskId,
        Name = Document.Name,
        State = failure.Reason.ToState(),
        Reason = failure.Reason,
        Message = failure.Message,
        Attempts = delivery.FailedAttempts + 1,
        Started = _started,
        Finished = time.GetUtcNow(),
        Image = Document.Image,
    };
}
