using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>One line of the event log.</summary>
public sealed record QueueEvent
{
    /// <summary>Rises from event to event, with gaps.</summary>
    public required long Sequence { get; init; }
    /// <summary>By the queue's clock.</summary>
    public required DateTimeOffset Time { get; init; }
    public required QueueEventKind Kind { get; init; }
    /// <summary>Null for an event of a node.</summary>
    public string? TaskId { get; init; }
    public string? TaskName { get; init; }
    public string? Node { get; init; }
    /// <summary>Of the task, after the event.</summary>
    public TaskState? State { get; init; }
    /// <summary>From 1.</summary>
    public int? Attempt { get; init; }
    public FailureReason? Reason { get; init; }
    public string Message { get; init; } = "";
    /// <summary>Of a retry: when the next attempt may begin.</summary>
    public DateTimeOffset? NotBefore { get; init; }
}
