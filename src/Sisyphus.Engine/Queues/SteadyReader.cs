using System.Runtime.CompilerServices;

using Sisyphus.Engine.Execution;

namespace Sisyphus.Engine.Queues;

/// <summary>Reads of tasks over any outage: whoever waits for hours must not be told of a broker that was away for a minute.</summary>
internal sealed class SteadyReader(ITaskQueue queue)
{
    /// <summary>More ids than this are looked for among all events.</summary>
    private const int MaxFilter = 1000;

    /// <returns>Those of the tasks that the queue knows.</returns>
    public async Task<IReadOnlyList<TaskSummary>> FindAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            try
            {
                return await queue.GetTasksAsync(new TaskQuery { Ids = ids }, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException error) when (IsOutage(error))
            {
                await PauseAsync(++failures, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Events of tasks after one that was seen.</summary>
    /// <param name="ids">May shrink while it goes on.</param>
    public async IAsyncEnumerable<QueueEvent> ReadEventsAsync(IReadOnlySet<string> ids, long after, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var failures = 0; ;)
        {
            var query = new EventQuery { After = after, Follow = follow, TaskIds = ids.Count <= MaxFilter ? [.. ids] : [] };
            var events = queue.ReadEventsAsync(query, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (events.ConfigureAwait(false))
            {
                while (await MoveNextAsync(events).ConfigureAwait(false) is { } isThere)
                {
                    if (!isThere)
                        yield break;
                    failures = 0;
                    after = events.Current.Sequence;
                    if (events.Current.TaskId is { } id && ids.Contains(id))
                        yield return events.Current;
                }
            }
            await PauseAsync(++failures, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>Null where there is an outage.</returns>
    private static async Task<bool?> MoveNextAsync(IAsyncEnumerator<QueueEvent> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (QueueException error) when (IsOutage(error))
        {
            return null;
        }
    }

    private static bool IsOutage(QueueException error) => error.Failure is QueueFailure.Unavailable or QueueFailure.Full;

    private static Task PauseAsync(int failures, CancellationToken cancellationToken) =>
        Task.Delay(RetryBackoff.After(failures, Random.Shared.NextDouble()), cancellationToken);
}
