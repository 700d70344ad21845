using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>A task that ended in error.</summary>
public sealed record DeadLetter
{
    public required string Id { get; init; }
    public string? Name { get; init; }
    public string? Workflow { get; init; }
    public required TaskState State { get; init; }
    public required FailureReason Reason { get; init; }
    public string Message { get; init; } = "";
    /// <summary>Every attempt, the last one included.</summary>
    public IReadOnlyList<AttemptSummary> Attempts { get; init => field = value.ToArray(); } = [];
    public string LogTail { get; init; } = "";
    public string? Record { get; init; }
    public required DateTimeOffset Sent { get; init; }
    public required DateTimeOffset Finished { get; init; }
    /// <summary>The document as it was sent, JSON; or whatever was sent instead of one.</summary>
    public required string Document { get; init; }
}
