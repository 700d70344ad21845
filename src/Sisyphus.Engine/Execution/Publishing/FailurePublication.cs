using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>What became of a failed attempt's log and record.</summary>
/// <param name="Record">Where the record is; null when the task was decided and nothing was written.</param>
/// <param name="IsDecided">A decision was seen, finished or not, this attempt's or another's: the task may be a success after all.</param>
internal sealed record FailurePublication(RemotePath? Record, IReadOnlyList<PublishedObject> Logs, bool IsDecided);
