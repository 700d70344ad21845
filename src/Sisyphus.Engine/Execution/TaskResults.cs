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
}
