namespace Sisyphus.Engine.Tasks;

/// <summary>What is published after the commands: a file, a tree, the files that a pattern matches, the output of the commands, or the task's log.</summary>
/// <param name="Remote">Where it goes; a prefix for <see cref="TaskOutputKind.Directory"/> and <see cref="TaskOutputKind.Pattern"/>.</param>
/// <param name="Kind">How <paramref name="Path"/> is meant.</param>
/// <param name="Path">Absolute path or pattern in the container, without a trailing <c>/</c>; <c>&gt;</c> or <c>&gt;&gt;</c> for the two streams.</param>
/// <param name="Optional">Its absence is no failure.</param>
public sealed record TaskOutput(RemotePath Remote, TaskOutputKind Kind, string Path, bool Optional = false) : TaskPart
{
    public const string StandardOutputPath = ">";
    public const string LogPath = ">>";

    public override string ToString() => $"{Path} -> {Remote}";
}

public enum TaskOutputKind
{
    /// <summary>One regular file.</summary>
    File,
    /// <summary>Every regular file below a directory; keys are relative to it.</summary>
    Directory,
    /// <summary>POSIX pattern (glob(7): <c>*</c>, <c>?</c>, <c>[…]</c>, none of which matches <c>/</c>); keys are relative to the last directory before the first wildcard.</summary>
    Pattern,
    /// <summary>The standard output of all commands, one after the other, byte for byte.</summary>
    StandardOutput,
    /// <summary>The log of the attempt; published even when the task fails.</summary>
    Log,
}
