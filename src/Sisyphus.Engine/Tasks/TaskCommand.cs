namespace Sisyphus.Engine.Tasks;

/// <summary>One program to run. The arguments reach it as they are: no shell ever sees them.</summary>
/// <param name="Arguments">The program and its arguments; the first is not empty.</param>
/// <param name="StandardInput">Internal path of the file to feed, or null for an empty input.</param>
/// <param name="StandardOutput">Internal path of the file that receives it (made anew), or null.</param>
/// <param name="StandardError">As <paramref name="StandardOutput"/>; the same path as there interleaves the two.</param>
/// <param name="IgnoreError">Go on with the next command whatever this one's exit code is.</param>
public sealed record TaskCommand(
    IReadOnlyList<string> Arguments,
    string? StandardInput = null,
    string? StandardOutput = null,
    string? StandardError = null,
    bool IgnoreError = false) : TaskPart
{
    public bool Equals(TaskCommand? other) =>
        base.Equals(other) && Arguments.SequenceEqual(other!.Arguments) && StandardInput == other.StandardInput
        && StandardOutput == other.StandardOutput && StandardError == other.StandardError && IgnoreError == other.IgnoreError;

    public override int GetHashCode() => HashCode.Combine(Arguments.Count, Arguments is [var program, ..] ? program : null, StandardInput, StandardOutput, StandardError, IgnoreError);

    public override string ToString() => string.Join(' ', Arguments);
}
