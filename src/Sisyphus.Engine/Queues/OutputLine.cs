using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>A line that a running task wrote, without its end.</summary>
/// <param name="Time">By the node's clock.</param>
/// <param name="Line">At most <see cref="MaxLength"/> characters; the rest of a longer line is cut off.</param>
/// <param name="Dropped">Lines that the task wrote right before this one and that were left out, because they came faster than they were read.</param>
public sealed record OutputLine(string TaskId, DateTimeOffset Time, OutputStream Stream, string Line, long Dropped = 0)
{
    public const int MaxLength = 16 * 1024;

    public override string ToString() => Line;
}
