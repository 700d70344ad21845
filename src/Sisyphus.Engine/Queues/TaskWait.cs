using System.Runtime.CompilerServices;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>Waits for the ends of tasks, by the event log.</summary>
public sealed class TaskWait(ITaskQueue queue, IReadOnlyList<string> taskIds)
{
    private const int MaxLook = 500;

    private readonly Dictionary<string, TaskState> _states = [];
    // Kept, not counted anew at each step: there are as many steps as events, and as many tasks as anybody likes.
    private readonly Dictionary<TaskState, int> _counts = [];
    private readonly HashSet<string> _pending = [.. taskIds];
    private readonly SteadyReader _reader = new(queue);

    /// <summary>Those that have not ended.</summary>
    public IReadOnlyCollection<string> Pending => _pending;

    /// <summary>Those that the queue does not know; set before the first step.</summary>
    public IReadOnlyList<string> Unknown { get; private set; } = [];

    /// <summary>Tasks by state.</summary>
    public IReadOnlyDictionary<TaskState, int> Counts => _counts;

    /// <summary>A step for each change that there is to see, with the task where it ended. Comes to its end with the last task.</summary>
    /// <param name="enough">Ends the waiting without an exception; there is one look at the tasks in any case.</param>
    public async IAsyncEnumerable<TaskSummary?> StepsAsync(CancellationToken enough, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // First: what happens between the look and the watch is seen twice then, and not missed.
        var before = await queue.GetLastEventAsync(cancellationToken).ConfigureAwait(false);
        List<TaskSummary> found = [];
        foreach (var ids in _pending.Chunk(MaxLook))
            found.AddRange(await queue.GetTasksAsync(new TaskQuery { Ids = ids }, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false));
        // Steps last as long as the caller likes, and over an outage only what comes after the look goes on.
        foreach (var task in found)
        {
            See(task.Id, task.State);
            if (task.HasEnded && _pending.Remove(task.Id))
                yield return task;
        }
        Unknown = [.. _pending.Where(id => !_states.ContainsKey(id))];
        _pending.ExceptWith(Unknown);
        if (_pending.Count == 0)
            yield break;
        yield return null;

        using var end = CancellationTokenSource.CreateLinkedTokenSource(enough, cancellationToken);
        var events = _reader.ReadEventsAsync(_pending, before, follow: true, end.Token).GetAsyncEnumerator(end.Token);
        await using (events.ConfigureAwait(false))
        {
            while (_pending.Count > 0 && await MoveNextAsync(events, enough).ConfigureAwait(false))
            {
                var happened = events.Current;
                if (happened is not { TaskId: { } id, State: { } state })
                    continue;
                // An old end may have been followed by a resumption.
                var ended = state.IsEnd() ? (await FindAgainAsync(id, end.Token).ConfigureAwait(false)).FirstOrDefault(task => task.HasEnded) : null;
                if (ended is not null)
                    _pending.Remove(id);
                See(id, ended?.State ?? state);
                yield return ended;
            }
        }
    }

    private void See(string id, TaskState state)
    {
        if (_states.TryGetValue(id, out var before))
            _counts[before]--;
        _states[id] = state;
        _counts[state] = _counts.GetValueOrDefault(state) + 1;
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<QueueEvent> events, CancellationToken enough)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <param name="over">Comes when nobody waits any more; then nothing is found.</param>
    private async Task<IReadOnlyList<TaskSummary>> FindAgainAsync(string id, CancellationToken over)
    {
        try
        {
            return await _reader.FindAsync([id], over).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            return [];
        }
    }
}
