using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>A task as the queue knows it.</summary>
public sealed record TaskSummary
{
    public required string Id { get; init; }
    public string? Name { get; init; }
    public string? Workflow { get; init; }
    public required TaskState State { get; init; }
    /// <summary>Of the end, or of the last attempt that failed.</summary>
    public FailureReason? Reason { get; init; }
    public string Message { get; init; } = "";
    public required string Image { get; init; }
    public required int Priority { get; init; }
    /// <summary>Attempts that were charged to it, the last one included once it has ended.</summary>
    public int Attempts { get; init; }
    /// <summary>How often a node that had it was lost.</summary>
    public int Losses { get; init; }
    /// <summary>The node that has it or had it last.</summary>
    public string? Node { get; init; }
    public required DateTimeOffset Sent { get; init; }
    /// <summary>Not claimed before then: it waits for its next attempt.</summary>
    public DateTimeOffset? NotBefore { get; init; }
    /// <summary>Of the last attempt.</summary>
    public DateTimeOffset? Started { get; init; }
    public DateTimeOffset? Finished { get; init; }
    public TimeSpan? Duration => Finished - Started;
    public IReadOnlyList<int> ExitCodes { get; init => field = value.ToArray(); } = [];
    /// <summary>Bytes.</summary>
    public long? PeakMemory { get; init; }
    /// <summary>Remote path of the last attempt's record.</summary>
    public string? Record { get; init; }
    /// <summary>Somebody wants it canceled and its node has not stopped it yet.</summary>
    public bool CancelRequested { get; init; }
    public bool HasEnded => State.IsEnd();
}
