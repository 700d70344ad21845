using System.Runtime.CompilerServices;

namespace Sisyphus.Engine.Queues;

/// <summary>What happened to tasks, and what happens to them until all of them have ended.</summary>
public sealed class TaskWatch(ITaskQueue queue, IReadOnlyList<string> taskIds)
{
    private const int MaxLook = 500;

    private readonly SteadyReader _reader = new(queue);
    private readonly HashSet<string> _known = [];
    private readonly HashSet<string> _pending = [];

    /// <summary>Looks which tasks there are; before <see cref="EventsAsync"/>.</summary>
    /// <returns>Those that the queue does not know.</returns>
    /// <exception cref="QueueException">It can't say.</exception>
    public async Task<IReadOnlyList<string>> LookAsync(CancellationToken cancellationToken)
    {
        foreach (var ids in taskIds.Distinct().Chunk(MaxLook))
        {
            await foreach (var task in queue.GetTasksAsync(new TaskQuery { Ids = ids }, cancellationToken).ConfigureAwait(false))
            {
                _known.Add(task.Id);
                if (!task.HasEnded)
                    _pending.Add(task.Id);
            }
        }
        return [.. taskIds.Distinct().Where(id => !_known.Contains(id))];
    }

    /// <summary>Begins with what is known of the tasks, so that one that has ended already has something to show, and goes on over any outage.</summary>
    public async IAsyncEnumerable<QueueEvent> EventsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_known.Count == 0)
            yield break;
        // At the end once more: where it is a resumed task's earlier end at which its state is asked for, its last events are still to come.
        // Of one that has ended before no end is waited for: a dead letter may be older than the events that are kept.
        bool[] follows = _pending.Count > 0 ? [false, true, false] : [false];
        var last = 0L;
        foreach (var follow in follows)
        {
            if (follow && _pending.Count == 0)
                continue;
            await foreach (var happened in _reader.ReadEventsAsync(_known, last, follow, cancellationToken).ConfigureAwait(false))
            {
                last = happened.Sequence;
                yield return happened;
                if (happened is { Kind: QueueEventKind.TaskEnded, TaskId: { } id } && _pending.Contains(id) && await HasEndedAsync(id, cancellationToken).ConfigureAwait(false))
                    _pending.Remove(id);
                if (follow && _pending.Count == 0)
                    break;
            }
        }
    }

    /// <summary>Whether for good its state says, for it may have been resumed; that its last event is on the log by then, the queue.</summary>
    private async Task<bool> HasEndedAsync(string id, CancellationToken cancellationToken) =>
        (await _reader.FindAsync([id], cancellationToken).ConfigureAwait(false)) is not [{ HasEnded: false }];
}
