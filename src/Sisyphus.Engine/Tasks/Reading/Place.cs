namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>The part of the container's file system that an input or output takes.</summary>
/// <param name="What"><c>input</c> or <c>output</c>.</param>
/// <param name="Path">Internal path; <c>&gt;</c> and <c>&gt;&gt;</c> are in no directory.</param>
/// <param name="Pattern">Set where the path is a pattern: then it takes the files that match.</param>
internal sealed record Place(string What, string Path, bool IsDirectory, InternalPattern? Pattern)
{
    internal static Place Of(TaskOutput output) => new("output", output.Path, output.Kind == TaskOutputKind.Directory,
        output.Kind == TaskOutputKind.Pattern ? InternalPattern.Parse(output.Path) : null);

    /// <summary>A file could belong to both, or one stands in the way of the other.</summary>
    internal bool Meets(Place other)
    {
        if (Pattern is not null)
            return other.Pattern is null ? other.MeetsPattern(Pattern) : Path == other.Path;
        return other.Pattern is not null
            ? MeetsPattern(other.Pattern)
            : InternalPath.IsInside(Path, other.Path) || InternalPath.IsInside(other.Path, Path);
    }

    /// <summary>One says that a path is a file where the other needs a directory.</summary>
    internal bool Contradicts(Place other)
    {
        if (Pattern is not null)
            return !other.IsDirectory && InternalPath.IsInside(Pattern.BaseDirectory, other.Path);
        if (Path == other.Path)
            return IsDirectory != other.IsDirectory;
        return (!IsDirectory && InternalPath.IsInside(other.Path, Path)) || (!other.IsDirectory && InternalPath.IsInside(Path, other.Path));
    }

    private bool MeetsPattern(InternalPattern pattern)
    {
        if (InternalPath.IsInside(pattern.BaseDirectory, Path))
            return true;
        if (!InternalPath.IsInside(Path, pattern.BaseDirectory))
            return false;
        var relative = Path[(pattern.BaseDirectory.Length + 1)..];
        return IsDirectory ? pattern.CanMatchBelow(relative) : pattern.IsMatch(relative);
    }
}
