using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>How an attempt ended, as the queue keeps it.</summary>
public sealed record TaskEnd
{
    public required TaskState State { get; init; }
    /// <summary>Null exactly when <see cref="State"/> is <see cref="TaskState.Complete"/>.</summary>
    public FailureReason? Reason { get; init; }
    public string Message { get; init; } = "";
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Finished { get; init; }
    public IReadOnlyList<int> ExitCodes { get; init; } = [];
    /// <summary>Bytes.</summary>
    public long? PeakMemory { get; init; }
    /// <summary>Remote path.</summary>
    public string? Record { get; init; }
    /// <summary>The last lines that the commands wrote, of a failure; at most <see cref="MaxLogTail"/> characters are kept.</summary>
    public string LogTail { get; init; } = "";

    /// <summary>Of a failure: how long the service that caused it asks to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public const int MaxLogTail = 16 * 1024;
}
