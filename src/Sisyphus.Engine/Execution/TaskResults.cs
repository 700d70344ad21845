using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Makes results out of what attempts leave.</summary>
internal static class TaskResults
{
    public static TaskResult From(AttemptRecord record, IReadOnlyList<PublishedObject> outputs, string? recordPath) => new()
    {
        Id = record.Task,
        Name = record.Name,
        State = record.State,
        Reason = record.Reason,
        Message = record.Message ?? "",
        ExitCodes = [.. record.Commands.Select(command => command.ExitCode)],
        Commands = record.Commands,
        Attempts = 0,
        Started = record.Started,
        Finished = record.Finished,
        Image = record.Image,
        ImageDigest = record.ImageDigest,
        Outputs = outputs,
        PeakMemory = record.PeakMemory,
        Node = record.Node,
        Record = recordPath,
    };

    /// <summary>Of a task that left no record: it ended before it began, or in a way that nobody foresaw.</summary>
    public static TaskResult Unfinished(TaskDocument task, FailureReason reason, string message, int attempts, DateTimeOffset started, DateTimeOffset finished, string node) => new()
    {
        Id = task.Id!,
        Name = task.Name,
        State = reason.ToState(),
        Reason = reason,
        Message = message,
        Attempts = attempts,
        Started = started,
        Finished = finished,
        Image = task.Image,
        Node = node,
    };
}
