using Sisyphus.Engine.Execution;

namespace Sisyphus.PowerShell.Running;

/// <summary>A line that a task's command wrote, as an information record carries it; reads as the line itself.</summary>
/// <param name="Stream"><c>stdout</c> or <c>stderr</c>.</param>
public sealed record TaskOutputLine(string TaskId, string Stream, string Line)
{
    public static TaskOutputLine From(OutputLineReceived received)
    {
        ArgumentNullException.ThrowIfNull(received);
        return new(received.TaskId, received.Stream == OutputStream.StandardOutput ? "stdout" : "stderr", received.Line);
    }

    public override string ToString() => Line;
}
