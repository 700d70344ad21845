using System.Threading.Channels;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>One task in one slot: attempt after attempt until it ends well, fails for good, or has no retries left.</summary>
/// <param name="document">With its id.</param>
/// <param name="mayBePublished">Only a task that somebody gave an id can have been published before.</param>
internal sealed class TaskRun(TaskDocument document, bool mayBePublished, Workshop workshop, Slot slot, ChannelWriter<TaskEvent> events, TimeProvider time)
{
    /// <summary>How long a decided publication goes on after the cancel; then the next process on the work directory finishes it.</summary>
    private static readonly TimeSpan s_finishing = TimeSpan.FromSeconds(30);

    public int Attempts { get; private set; }

    public async Task<TaskResult> RunAsync(CancellationToken cancellationToken)
    {
        if (mayBePublished && await FindPublishedAsync(cancellationToken).ConfigureAwait(false) is { } published)
            return published;
        using var finishing = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var canceled = cancellationToken.Register(() => finishing.CancelAfter(s_finishing));
        while (true)
        {
            Attempts++;
            var (result, failure, _) = await workshop.AttemptAsync(document, Attempts, slot, events, beforeStart: null, finishing.Token, cancellationToken).ConfigureAwait(false);
            TimeSpan? pause = failure is { IsRetryable: true } && Attempts <= document.Retries
                ? RetryBackoff.After(Attempts, Random.Shared.NextDouble(), failure.RetryAfter)
                : null;
            if (failure is not null)
                await new EventWriter(events, document.Id!, time).FailedAsync(Attempts, failure, pause, cancellationToken).ConfigureAwait(false);
            if (pause is null)
                return result;
            await Task.Delay(pause.Value, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TaskResult?> FindPublishedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await workshop.FindPublishedAsync(document, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskFailureException)
        {
            // The attempt meets the same store and reports what is wrong with it under its own number.
            return null;
        }
    }
}
