using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>How one attempt ended.</summary>
/// <param name="Result">Of the task, if this was its last attempt.</param>
/// <param name="Failure">Null when it ended well.</param>
/// <param name="MayBePublished">It failed in the middle of publishing, so that only the store can say whether the outputs are decided.</param>
internal sealed record AttemptOutcome(TaskResult Result, TaskFailureException? Failure, bool MayBePublished = false);
