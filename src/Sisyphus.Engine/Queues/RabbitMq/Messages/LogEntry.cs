using Sisyphus.Engine.Tasks;
using Sisyphus.Engine.Tasks.Reading;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>One line of the event stream, as JSON; a message holds one or several. What is null is left out.</summary>
internal sealed record LogEntry
{
    /// <summary>More than is ever counted, and less than what a ticket may say of its claims: whoever claims after such an entry writes one more.</summary>
    private const long MaxClaim = 1L << 35;
    private const int MaxCount = 1 << 30;
    private const int MaxSession = 64;
    private static readonly TimeSpan s_longestHeartbeat = TimeSpan.FromDays(365);

    public required LogEntryKind Kind { get; init; }
    /// <summary>By the writer's clock.</summary>
    public required DateTimeOffset Time { get; init; }
    public string? Task { get; init; }
    /// <summary>Of a wish to read their output.</summary>
    public string[]? Tasks { get; init; }
    public string? Name { get; init; }
    public string? Workflow { get; init; }
    public string? Image { get; init; }
    public int? Priority { get; init; }
    public DateTimeOffset? Sent { get; init; }
    public string? Node { get; init; }
    public string? Session { get; init; }
    /// <summary>Which claim of the task is spoken of, from 1.</summary>
    public long? Claim { get; init; }
    public TaskState? State { get; init; }
    public int? Attempt { get; init; }
    public int? Attempts { get; init; }
    public int? Losses { get; init; }
    public FailureReason? Reason { get; init; }
    public string? Message { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    public DateTimeOffset? Started { get; init; }
    public DateTimeOffset? Finished { get; init; }
    public int[]? ExitCodes { get; init; }
    public long? PeakMemory { get; init; }
    public string? Record { get; init; }
    public NodeRegistration? Registration { get; init; }
    public NodeStatus? Status { get; init; }
    public NodeStop? Stop { get; init; }
    /// <summary>Of a marker and of a claim: by which its writer knows it.</summary>
    public string? Mark { get; init; }

    /// <summary>Whether it can be what one of ours wrote. Others may write on the bus too, and what they write must not stop a node.</summary>
    public bool IsSound() =>
        Enum.IsDefined(Kind)
        && (Task is null || TaskId.IsValid(Task))
        && (Tasks is null || Tasks.All(TaskId.IsValid))
        && (Node is null || TaskId.IsValid(Node))
        && (Workflow is null || WorkflowName.IsValid(Workflow))
        && Priority is null or (>= 0 and <= Limits.MaxPriority)
        && Session is null or { Length: <= MaxSession }
        && Claim is null or (>= 0 and <= MaxClaim)
        && IsCount(Attempt) && IsCount(Attempts) && IsCount(Losses)
        && IsDefined(State) && IsDefined(Reason) && IsDefined(Stop)
        && IsSound(Registration) && IsSound(Status);

    /// <summary>Routing key on the bus.</summary>
    public string Key => Kind switch
    {
        LogEntryKind.NodeHeartbeat => $"{QueueNames.HeartbeatKey}.{Node}",
        // Of use for a minute, so that it goes to the stream that keeps an hour.
        LogEntryKind.OutputWish => QueueNames.HeartbeatKey,
        _ when Task is not null => $"task.{Task}.{Kind}",
        _ => $"node.{Node}.{Kind}",
    };

    /// <summary>As readers of the queue see it; null for what is not for them.</summary>
    public QueueEvent? ToEvent(long sequence) => Kind > LogEntryKind.NodeLost ? null : new QueueEvent
    {
        Sequence = sequence,
        Time = Time,
        Kind = (QueueEventKind)Kind,
        TaskId = Task,
        TaskName = Name,
        Node = Node,
        State = State,
        Attempt = Attempt,
        Reason = Reason,
        Message = Message ?? "",
        NotBefore = NotBefore,
    };

    private static bool IsCount(int? number) => number is null or (>= 0 and <= MaxCount);

    private static bool IsDefined<T>(T? value)
        where T : struct, Enum => value is null || Enum.IsDefined(value.Value);

    private bool IsSound(NodeRegistration? node) =>
        node is null || (node.Name == Node && node is { Software: not null, Machine: not null } && node.HeartbeatInterval > TimeSpan.Zero && node.HeartbeatInterval <= s_longestHeartbeat);

    private static bool IsSound(NodeStatus? status) => status is null || (status is { Tasks: not null, Message: not null } && status.Tasks.All(TaskId.IsValid) && Enum.IsDefined(status.State));
}
