using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>The state of all tasks and nodes, made from the event stream. Everybody who has read as far sees the same: the order of the stream decides what came first.</summary>
/// <remarks>A view, not a lock: who runs a task is the lease's business, who has finished it the store's.</remarks>
internal sealed class Board(TimeProvider time, TimeSpan retention)
{
    private const int PruneEvery = 5000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, BoardTask> _tasks = [];
    private readonly List<string> _order = [];
    private readonly Dictionary<string, BoardNode> _nodes = [];
    private readonly Dictionary<string, NodeBeat> _beats = [];
    /// <summary>With the time at which they were last told of.</summary>
    private readonly Dictionary<Lane, DateTimeOffset> _lanes = new() { [Lane.Main] = DateTimeOffset.MaxValue };
    private TaskCompletionSource _lanesChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isLive;
    private int _changes;

    public OutputWishes Wishes { get; } = new(time);

    public BoardTask? Find(string id)
    {
        lock (_gate)
            return _tasks.GetValueOrDefault(id);
    }

    /// <summary>In the order in which they were sent; without those that ended before the retention.</summary>
    public IReadOnlyList<BoardTask> Tasks()
    {
        lock (_gate)
        {
            Prune();
            return [.. _order.Select(id => _tasks[id])];
        }
    }

    public IReadOnlyList<BoardNode> Nodes()
    {
        lock (_gate)
            return [.. _nodes.Values.Select(WithBeat).OrderBy(node => node.Registration.Name, StringComparer.Ordinal)];
    }

    public BoardNode? FindNode(string name)
    {
        lock (_gate)
            return _nodes.GetValueOrDefault(name) is { } node ? WithBeat(node) : null;
    }

    /// <summary>Those that tasks were ever sent to, and what completes when there is another one.</summary>
    public (IReadOnlyList<Lane> Lanes, Task Changed) Lanes()
    {
        lock (_gate)
            return ([.. _lanes.Keys], _lanesChanged.Task);
    }

    /// <summary>Those of which nothing was told since; without <see cref="Lane.Main"/>, which nobody has to be told of.</summary>
    public IReadOnlyList<Lane> Lanes(DateTimeOffset untoldSince)
    {
        lock (_gate)
            return [.. _lanes.Where(lane => lane.Value < untoldSince).Select(lane => lane.Key)];
    }

    /// <summary>Whether tasks of the workflow were ever sent, or asked for.</summary>
    public bool Knows(string? workflow)
    {
        lock (_gate)
            return workflow is null || _lanes.Keys.Any(lane => lane.Workflow == workflow);
    }

    /// <summary>Whether it was told since then that there is such a workflow.</summary>
    public bool Knows(string workflow, DateTimeOffset toldSince)
    {
        lock (_gate)
            return _lanes.Any(lane => lane.Key.Workflow == workflow && lane.Value >= toldSince);
    }

    /// <summary>What comes from now on has just happened.</summary>
    public void SetLive()
    {
        lock (_gate)
            _isLive = true;
    }

    /// <returns>Whether the entry changed anything: one that came too late does not.</returns>
    public bool Apply(LogEntry entry)
    {
        lock (_gate)
        {
            if (++_changes % PruneEvery == 0)
                Prune();
            if (entry.Priority is { } priority)
                ApplyToLane(new Lane(entry.Workflow, priority), entry.Time);
            if (entry.Tasks is not null)
                return Wishes.Apply(entry, _isLive);
            if (entry.Task is not null)
                return ApplyToTask(entry, entry.Task);
            return entry.Node is not null && ApplyToNode(entry, entry.Node);
        }
    }

    private void ApplyToLane(Lane lane, DateTimeOffset told)
    {
        // A clock that is ahead must not make it be forgotten.
        if (time.GetUtcNow() is var now && told > now)
            told = now;
        if (_lanes.TryGetValue(lane, out var before))
        {
            _lanes[lane] = told > before ? told : before;
            return;
        }
        _lanes[lane] = told;
        _lanesChanged.SetResult();
        _lanesChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private bool ApplyToTask(LogEntry entry, string id)
    {
        var before = _tasks.GetValueOrDefault(id);
        var after = before is null ? First(entry, id) : Changed(before, entry);
        if (after is null || ReferenceEquals(after, before))
            return false;
        if (before is null)
            _order.Add(id);
        if (after.Summary.HasEnded != after.Ended.HasValue)
            after = after with { Ended = after.Summary.HasEnded ? entry.Time : null };
        _tasks[id] = after;
        return true;
    }

    /// <summary>A task that is heard of for the first time; what was before has passed out of the stream, or nobody told.</summary>
    private static BoardTask? First(LogEntry entry, string id)
    {
        var summary = new TaskSummary
        {
            Id = id, Name = entry.Name, Workflow = entry.Workflow, State = TaskState.Queued, Image = entry.Image ?? "", Priority = entry.Priority ?? TaskDocument.DefaultPriority, Sent = entry.Sent ?? entry.Time,
        };
        var task = new BoardTask { Summary = summary, IsForeign = entry.Kind != LogEntryKind.TaskSent };
        return entry.Kind switch
        {
            LogEntryKind.TaskSent => task,
            LogEntryKind.TaskRefused or LogEntryKind.TaskWarned => null,
            // Who tells how far the task is has it.
            LogEntryKind.TaskProgressed when entry is { Claim: > 0 and var claim, Session: not null } => Changed(task with { Claims = claim - 1 }, entry with { Kind = LogEntryKind.TaskClaimed }),
            // Canceled before it was met: it is known by that from now on.
            _ => Changed(task with { Claims = entry.Kind is LogEntryKind.TaskClaimed ? 0 : entry.Claim ?? 0 }, entry),
        };
    }

    private static BoardTask? Changed(BoardTask task, LogEntry entry)
    {
        var summary = task.Summary;
        var isOfThisClaim = !summary.HasEnded && entry.Claim == task.Claims;
        switch (entry.Kind)
        {
            case LogEntryKind.TaskSent when task.IsForeign:
                return task with { IsForeign = false, Summary = summary with { Name = entry.Name, Workflow = entry.Workflow, Image = entry.Image ?? summary.Image, Sent = entry.Time } };
            case LogEntryKind.TaskSent when task.IsRefused:
                return Waiting(task);
            case LogEntryKind.TaskClaimed when !task.IsOver && entry.Claim > task.Claims:
                return Waiting(task) with
                {
                    Claims = entry.Claim.Value,
                    Session = entry.Session,
                    Summary = Waiting(task).Summary with
                    {
                        // Told again of a task that has been there for long, it may be further.
                        State = entry.State == TaskState.Running ? TaskState.Running : TaskState.Initializing, Node = entry.Node, Started = entry.Started ?? entry.Time, Finished = null, NotBefore = null, Losses = entry.Losses ?? summary.Losses, Attempts = entry.Attempts ?? summary.Attempts,
                    },
                };
            case LogEntryKind.TaskProgressed when isOfThisClaim && task.IsHeld && entry.State is { } state:
                return task with { Summary = summary with { State = state } };
            case LogEntryKind.TaskRetried when isOfThisClaim && task.IsHeld:
                return Back(WithAttempt(task, entry, entry.Attempt ?? 0), summary with
                {
                    Attempts = entry.Attempt ?? summary.Attempts, Reason = entry.Reason, Message = entry.Message ?? "", NotBefore = entry.NotBefore, Started = entry.Started, Finished = entry.Finished, ExitCodes = entry.ExitCodes ?? [],
                    PeakMemory = entry.PeakMemory, Record = entry.Record,
                });
            // Of a claim that two made at a time, the one that came too late is taken back by who made it.
            case LogEntryKind.TaskReleased when isOfThisClaim && task.IsHeld && entry.Session == task.Session:
                return Back(task, summary);
            case LogEntryKind.TaskLost when isOfThisClaim && task.IsHeld:
                return Back(WithAttempt(task, entry, 0), summary with { Losses = summary.Losses + 1, Reason = FailureReason.NodeLost, Message = entry.Message ?? "", Finished = entry.Time });
            case LogEntryKind.CancelRequested when summary is { HasEnded: false, CancelRequested: false }:
                return task.IsHeld ? task with { Summary = summary with { CancelRequested = true } } : Canceled(task, summary, entry.Time);
            case LogEntryKind.TaskEnded when summary is { State: TaskState.Canceled } && entry.State == TaskState.Canceled && !task.IsEndTold:
                return task with { IsEndTold = true };
            case LogEntryKind.TaskEnded when (isOfThisClaim || (entry.Claim is null && !summary.HasEnded)) && entry.State is { } end:
                return task with
                {
                    Session = null,
                    IsEndTold = true,
                    Summary = summary with
                    {
                        State = end, Reason = entry.Reason, Message = entry.Message ?? "", Attempts = entry.Attempts ?? summary.Attempts, Losses = entry.Losses ?? summary.Losses, NotBefore = null, CancelRequested = false,
                        Started = entry.Started, Finished = entry.Finished ?? entry.Time, ExitCodes = entry.ExitCodes ?? [], PeakMemory = entry.PeakMemory, Record = entry.Record,
                    },
                };
            case LogEntryKind.TaskResumed when summary.HasEnded || task.IsForeign:
                return task with
                {
                    Claims = Math.Max(task.Claims, entry.Claim ?? 0),
                    IsEndTold = false,
                    IsRefused = false,
                    Attempts = [],
                    Summary = summary with { State = TaskState.Queued, Reason = null, Message = "", Attempts = 0, Losses = 0, Node = null, NotBefore = null, Started = null, Finished = null, ExitCodes = [], PeakMemory = null, Record = null },
                };
            case LogEntryKind.TaskRefused when summary.State == TaskState.Queued && task.Claims == 0:
                return task with { IsEndTold = true, IsRefused = true, Summary = summary with { State = TaskState.SystemError, Reason = FailureReason.Internal, Message = entry.Message ?? "It was not sent.", Finished = entry.Time } };
            case LogEntryKind.TaskWarned when isOfThisClaim:
                return task with { };
            default:
                return task;
        }
    }

    private static BoardTask WithAttempt(BoardTask task, LogEntry entry, int number) => task with
    {
        Attempts = [.. task.Attempts.TakeLast(Ticket.MaxAttempts - 1), new AttemptSummary(number, entry.Node ?? "", entry.Started ?? task.Summary.Started ?? entry.Time, entry.Finished ?? entry.Time, entry.Reason ?? FailureReason.Internal, entry.Message ?? "")],
    };

    /// <summary>Of one that was refused: on the queue after all.</summary>
    private static BoardTask Waiting(BoardTask task) => !task.IsRefused ? task : task with
    {
        IsRefused = false, IsEndTold = false, Summary = task.Summary with { State = TaskState.Queued, Reason = null, Message = "", Finished = null },
    };

    /// <summary>On the queue again, unless somebody wanted it canceled meanwhile.</summary>
    private static BoardTask Back(BoardTask task, TaskSummary summary)
    {
        var waiting = task with { Session = null, Summary = summary with { State = TaskState.Queued } };
        return summary.CancelRequested ? Canceled(waiting, waiting.Summary, summary.Finished) : waiting;
    }

    private static BoardTask Canceled(BoardTask task, TaskSummary summary, DateTimeOffset? finished) => task with
    {
        Session = null,
        IsEndTold = false,
        Summary = summary with { State = TaskState.Canceled, Reason = FailureReason.Canceled, Message = "It was canceled.", NotBefore = null, CancelRequested = false, Finished = finished },
    };

    private bool ApplyToNode(LogEntry entry, string name)
    {
        if (entry is { Kind: LogEntryKind.NodeHeartbeat, Session: { } beating, Status: { } status })
        {
            // May come before the node's joining is read: that is in the other stream.
            _beats[name] = new NodeBeat(beating, status, entry.Time, Heard());
            return true;
        }
        if (entry is { Kind: LogEntryKind.NodeJoined, Registration: { } registration, Session: { } session })
        {
            _nodes[name] = new BoardNode { Registration = registration, Session = session, Joined = entry.Time, State = NodeState.Idle, LastSeen = entry.Time, Heard = Heard() };
            return true;
        }
        if (_nodes.GetValueOrDefault(name) is not { } before || before.Session != entry.Session || before.State == NodeState.Left)
            return false;
        switch (entry.Kind)
        {
            case LogEntryKind.NodePaused or LogEntryKind.NodeDraining or LogEntryKind.NodeContinued when entry.Status is { } told:
                _nodes[name] = before with { State = told.State, Status = told, LastSeen = entry.Time, Heard = Heard() };
                return true;
            case LogEntryKind.NodeLeft:
                _nodes[name] = before with { State = NodeState.Left, LastSeen = entry.Time, Heard = Heard() };
                return true;
            case LogEntryKind.NodeLost when before.State != NodeState.Lost:
                _nodes[name] = before with { State = NodeState.Lost };
                return true;
            case LogEntryKind.NodeStop:
                return true;
            default:
                return false;
        }
    }

    /// <summary>With what its last heartbeat said, where that is the newest word of it.</summary>
    private BoardNode WithBeat(BoardNode node)
    {
        if (!_beats.TryGetValue(node.Registration.Name, out var beat) || beat.Session != node.Session || beat.Time < node.LastSeen || node.State == NodeState.Left)
            return node;
        return node with { LastSeen = beat.Time, Heard = beat.Heard, Status = beat.Status, State = node.State == NodeState.Lost ? NodeState.Lost : beat.Status.State };
    }

    private long Heard() => _isLive ? time.GetTimestamp() : 0;

    private void Prune()
    {
        var oldest = time.GetUtcNow() - retention;
        _order.RemoveAll(id =>
        {
            var task = _tasks[id];
            if (!(task.Ended < oldest))
                return false;
            _tasks.Remove(id);
            return true;
        });
        foreach (var node in _nodes.Values.Where(node => node.State is NodeState.Left or NodeState.Lost && node.LastSeen < oldest).ToArray())
        {
            _nodes.Remove(node.Registration.Name);
            _beats.Remove(node.Registration.Name);
        }
    }
}
