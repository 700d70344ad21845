using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Something that happened to a task, in the order in which it happened.</summary>
public abstract record TaskEvent(string TaskId, DateTimeOffset Time);

public sealed record TaskStateChanged(string TaskId, DateTimeOffset Time, TaskState State, int Attempt) : TaskEvent(TaskId, Time);

/// <summary>Progress events are dropped rather than queued when the reader is slow: each carries the whole count.</summary>
public sealed record ImagePullProgressed(string TaskId, DateTimeOffset Time, string Image, PullProgress Progress) : TaskEvent(TaskId, Time);

public sealed record StagingProgressed(string TaskId, DateTimeOffset Time, TransferProgress Progress) : TaskEvent(TaskId, Time);

public sealed record PublishingProgressed(string TaskId, DateTimeOffset Time, TransferProgress Progress) : TaskEvent(TaskId, Time);

/// <param name="Index">0-based.</param>
public sealed record CommandStarted(string TaskId, DateTimeOffset Time, int Index, int Count, TaskCommand Command) : TaskEvent(TaskId, Time);

/// <summary>A line that a command wrote, without its end; cut at <see cref="TaskRunnerOptions.MaxLineLength"/>.</summary>
public sealed record OutputLineReceived(string TaskId, DateTimeOffset Time, OutputStream Stream, string Line) : TaskEvent(TaskId, Time);

public sealed record TaskWarned(string TaskId, DateTimeOffset Time, string Message) : TaskEvent(TaskId, Time);

/// <param name="RetryAfter">Pause before the next attempt, or null when this was the last.</param>
public sealed record AttemptFailed(string TaskId, DateTimeOffset Time, int Attempt, FailureReason Reason, string Message, TimeSpan? RetryAfter) : TaskEvent(TaskId, Time);

/// <summary>The last event of a task.</summary>
public sealed record TaskFinished(string TaskId, DateTimeOffset Time, TaskResult Result) : TaskEvent(TaskId, Time);
