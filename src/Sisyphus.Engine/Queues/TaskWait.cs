using System.Runtime.CompilerServices;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>Waits for the ends of tasks, by the event log.</summary>
public sealed class TaskWait(ITaskQueue queue, IReadOnlyList<string> taskIds)
{
    /// <summary>More ids than this are looked for among all events.</summary>
    private const int MaxFilter = 1000;

    private readonly Dictionary<string, TaskState> _states = [];
    private readonly HashSet<string> _pending = [.. taskIds];

    /// <summary>Those that have not ended.</summary>
    public IReadOnlyCollection<string> Pending => _pending;

    /// <summary>Those that the queue does not know; set before the first step.</summary>
    public IReadOnlyList<string> Unknown { get; private set; } = [];

    /// <summary>Tasks by state.</summary>
    public IReadOnlyDictionary<TaskState, int> Counts => _states.Values.CountBy(state => state).ToDictionary();

    /// <summary>A step for each change that there is to see, with the task where it ended. Comes to its end with the last task, or with the token, without an exception.</summary>
    public async IAsyncEnumerable<TaskSummary?> StepsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var task in await FindAsync([.. _pending], cancellationToken).ConfigureAwait(false))
        {
            _states[task.Id] = task.State;
            if (task.HasEnded && _pending.Remove(task.Id))
                yield return task;
        }
        Unknown = [.. _pending.Where(id => !_states.ContainsKey(id))];
        _pending.ExceptWith(Unknown);
        if (_pending.Count == 0)
            yield break;
        yield return null;

        // From the oldest event on: what ended between the look and the watch is among them.
        var query = new EventQuery { After = 0, Follow = true, TaskIds = _pending.Count <= MaxFilter ? [.. _pending] : [] };
        var events = queue.ReadEventsAsync(query, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (events.ConfigureAwait(false))
        {
            while (_pending.Count > 0 && await MoveNextAsync(events, cancellationToken).ConfigureAwait(false))
            {
                var happened = events.Current;
                if (happened is not { TaskId: { } id, State: { } state } || !_pending.Contains(id))
                    continue;
                _states[id] = state;
                // An old end may have been followed by a resumption.
                var ended = state.IsEnd() ? (await FindAsync([id], cancellationToken).ConfigureAwait(false)).FirstOrDefault(task => task.HasEnded) : null;
                if (ended is not null)
                    _pending.Remove(id);
                yield return ended;
            }
        }
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<QueueEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<IReadOnlyList<TaskSummary>> FindAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        List<TaskSummary> found = [];
        await foreach (var task in queue.GetTasksAsync(new TaskQuery { Ids = ids }, cancellationToken).ConfigureAwait(false))
            found.Add(task);
        return found;
    }
}
