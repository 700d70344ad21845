using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <param name="State">The task's state afterwards; null for a task that the queue does not know.</param>
public sealed record CancelOutcome(string TaskId, CancelResult Result, TaskState? State);

public enum CancelResult
{
    /// <summary>It had not started, and never will.</summary>
    Canceled,
    /// <summary>A node has it and is told to stop.</summary>
    Requested,
    AlreadyEnded,
    Unknown,
}
