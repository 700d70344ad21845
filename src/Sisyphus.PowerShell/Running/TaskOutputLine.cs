using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Running;

/// <summary>A line that a task's command wrote; reads as the line itself.</summary>
/// <param name="Stream"><c>stdout</c> or <c>stderr</c>.</param>
/// <param name="Dropped">Lines left out right before this one.</param>
public sealed record TaskOutputLine(string TaskId, DateTimeOffset Time, string Stream, string Line, long Dropped)
{
    public static TaskOutputLine From(OutputLineReceived received)
    {
        ArgumentNullException.ThrowIfNull(received);
        return new(received.TaskId, received.Time, Word(received.Stream), received.Line, Dropped: 0);
    }

    public static TaskOutputLine From(OutputLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return new(line.TaskId, line.Time, Word(line.Stream), line.Line, line.Dropped);
    }

    public override string ToString() => Line;

    private static string Word(OutputStream stream) => stream == OutputStream.StandardOutput ? "stdout" : "stderr";
}
