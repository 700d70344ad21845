using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>What every step of one attempt knows.</summary>
internal sealed record AttemptContext
{
    public required TaskDocument Document { get; init; }
    public required string TaskId { get; init; }
    public required string AttemptId { get; init; }
    /// <summary>From 1.</summary>
    public required int Number { get; init; }
    public required TaskRunnerOptions Options { get; init; }
    public required Workspace Workspace { get; init; }
    public required TaskLog Log { get; init; }
    public required EventWriter Events { get; init; }
    public required TimeProvider Time { get; init; }
    /// <summary>Ends what follows the decision on the outputs: a cancel comes too late for it.</summary>
    public required CancellationToken Finishing { get; init; }
    /// <summary>Asked whether the task is still this attempt's: right before the first command starts, and before a publication is replaced that only another attempt could finish. What it throws ends the attempt.</summary>
    public required Func<CancellationToken, Task> BeforeStart { get; init; }
}
