using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>One attempt of a task that did not end well.</summary>
/// <param name="Number">From 1; 0 for one that was not charged because its node was lost.</param>
public sealed record AttemptSummary(int Number, string Node, DateTimeOffset Started, DateTimeOffset Finished, FailureReason Reason, string Message);
