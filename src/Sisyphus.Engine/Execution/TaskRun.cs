using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>One task in one slot: attempt after attempt until it ends well, fails for good, or has no retries left.</summary>
internal sealed class TaskRun(
    TaskDocument document,
    string taskId,
    Slot slot,
    IContainerEngine engine,
    StoreAccess stores,
    InputCache cache,
    OutputPublisher publisher,
    RunDirectory directory,
    TaskRunnerOptions options,
    EventWriter events,
    TimeProvider time)
{
    public int Attempts { get; private set; }

    public async Task<TaskResult> RunAsync(CancellationToken cancellationToken)
    {
        if (await FindPublishedAsync(cancellationToken).ConfigureAwait(false) is { } published)
            return published;
        while (true)
        {
            Attempts++;
            var (result, failure) = await AttemptAsync(cancellationToken).ConfigureAwait(false);
            TimeSpan? pause = failure is { IsRetryable: true } && Attempts <= document.Retries
                ? RetryBackoff.After(Attempts, Random.Shared.NextDouble())
                : null;
            if (failure is not null)
                await events.FailedAsync(Attempts, failure, pause, cancellationToken).ConfigureAwait(false);
            if (pause is null)
                return result;
            await Task.Delay(pause.Value, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Only a task that somebody gave an id can have been published before.</summary>
    private async Task<TaskResult?> FindPublishedAsync(CancellationToken cancellationToken)
    {
        if (document.Id is null || document.Outputs.Count == 0)
            return null;
        try
        {
            if (await publisher.FindAsync(taskId, document.Outputs[0].Remote, cancellationToken).ConfigureAwait(false) is not { } publication
                || AttemptRecord.FromJson(publication.Record) is not { } record)
                return null;
            return TaskResults.From(record, publication.Outputs, publication.DecisionPath.ToString()) with { Message = "Published before; nothing ran." };
        }
        catch (TaskFailureException)
        {
            // The attempt meets the same store and reports what is wrong with it under its own number.
            return null;
        }
    }

    private async Task<(TaskResult Result, TaskFailureException? Failure)> AttemptAsync(CancellationToken cancellationToken)
    {
        var attemptId = Guid.CreateVersion7().ToString("N");
        using var workspace = new Workspace(directory, new AttemptJournal(taskId, attemptId, [.. document.Outputs.Select(output => output.Remote.ToString())]));
        using var log = new TaskLog(document.Outputs.Any(output => output.Kind == TaskOutputKind.Log) ? workspace.NewFile() : null, time);
        var context = new AttemptContext
        {
            Document = document,
            TaskId = taskId,
            AttemptId = attemptId,
            Number = Attempts,
            Options = options,
            Workspace = workspace,
            Log = log,
            Events = events,
            Time = time,
        };
        var attempt = new Attempt(context, engine, stores, cache, publisher, slot, directory, Labels.OfTask(options.NodeName, directory.Id, taskId));
        try
        {
            return (await attempt.RunAsync(cancellationToken).ConfigureAwait(false), null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested && AsFailure(error) is { } failure)
        {
            return (await attempt.PublishFailureAsync(failure, cancellationToken).ConfigureAwait(false), failure);
        }
    }

    private static TaskFailureException? AsFailure(Exception error) => error switch
    {
        TaskFailureException failure => failure,
        IOException or UnauthorizedAccessException => LocalFailure.From(error),
        _ => null,
    };
}
