namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The part of the container's file system that an input or output takes.</summary>
/// <param name="What"><c>input</c> or <c>output</c>.</param>
/// <param name="Path">Internal path; <c>&gt;</c> and <c>&gt;&gt;</c> are in no directory.</param>
/// <param name="Pattern">Set where the path is a pattern: then it takes the files that match.</param>
/// <param name="At">Where the path stands in the text.</param>
internal sealed record Place(string What, string Path, bool IsDirectory, InternalPattern? Pattern, SourceValue At)
{
    internal static Place Of(Placed<TaskInput> input) => new("input", input.Value.Path, input.Value.IsDirectory, null, input.Internal);

    internal static Place Of(Placed<TaskOutput> output) => new("output", output.Value.Path, output.Value.Kind == TaskOutputKind.Directory,
        output.Value.Kind == TaskOutputKind.Pattern ? InternalPattern.Parse(output.Value.Path) : null, output.Internal);

    /// <summary>Whether files of this place may match the pattern, or this place is a file where the pattern needs a directory.</summary>
    internal bool Meets(InternalPattern pattern)
    {
        if (InternalPath.IsInside(pattern.BaseDirectory, Path))
            return true;
        if (!InternalPath.IsInside(Path, pattern.BaseDirectory))
            return false;
        var relative = Path[(pattern.BaseDirectory.Length + 1)..];
        return IsDirectory ? pattern.CanMatchBelow(relative) : pattern.IsMatch(relative);
    }

    /// <summary>What an error says about this place, where another is in its way.</summary>
    internal string Against(Place other) =>
        Path == other.Path ? $"{Path} is the path of another {other.What}"
        : Pattern is not null || other.Pattern is not null ? $"{Path} and the {other.What} {other.Path} meet in the same files"
        : InternalPath.IsInside(Path, other.Path) ? $"{Path} lies inside {other.Path}, which is an {other.What}"
        : $"{Path} contains {other.Path}, which is an {other.What}";
}
