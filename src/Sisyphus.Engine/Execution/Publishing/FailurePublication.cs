using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>What became of a failed attempt's log and record.</summary>
/// <param name="Record">Where the record is; null when the task was decided and nothing was written.</param>
/// <param name="Decided">The publication of another attempt, which makes the task a success after all; otherwise null.</param>
internal sealed record FailurePublication(RemotePath? Record, IReadOnlyList<PublishedObject> Logs, Publication? Decided);
