using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Sisyphus.Engine.Tasks;

/// <summary>A pattern for files in a container, as in glob(7): <c>*</c>, <c>?</c> and <c>[…]</c>, none of which matches <c>/</c> or a leading dot; a backslash takes a character's meaning away.</summary>
/// <remarks>Characters are Unicode scalar values and compared by number, as in the C locale.
/// A bracket that nothing closes stands for itself (POSIX.1-2024, XCU 2.14).</remarks>
public sealed class InternalPattern
{
    private readonly GlobSegment[] _segments;

    private InternalPattern(string baseDirectory, GlobSegment[] segments)
    {
        BaseDirectory = baseDirectory;
        _segments = segments;
    }

    /// <summary>The last directory before the first wildcard, absolute and without escapes: where to look, and what published keys are relative to.</summary>
    public string BaseDirectory { get; }

    /// <summary>Levels below <see cref="BaseDirectory"/> at which every match lies: 1 for files right in it.</summary>
    public int Depth => _segments.Length;

    /// <summary>Whether the path has a wildcard that no backslash escapes.</summary>
    public static bool HasWildcard(string path) => path.AsSpan().ContainsAny("*?[") && path.Split('/').Any(segment => new GlobSegment(segment).HasWildcard);

    /// <summary>The path without its escaping backslashes.</summary>
    public static string Unescape(string path) => !path.Contains('\\') ? path : string.Join('/', path.Split('/').Select(segment => new GlobSegment(segment).Literal));

    /// <summary>Puts a backslash before every character that is special in a pattern.</summary>
    public static string Escape(string path)
    {
        var escaped = new StringBuilder(path.Length);
        foreach (var character in path)
            (character is '*' or '?' or '[' or '\\' ? escaped.Append('\\') : escaped).Append(character);
        return escaped.ToString();
    }

    /// <param name="pattern">Absolute and normalised, as <see cref="TaskOutput.Path"/> of a pattern is.</param>
    /// <exception cref="FormatException">The message says what is wrong.</exception>
    public static InternalPattern Parse(string pattern) =>
        TryParse(pattern, out var parsed, out var error) ? parsed : throw new FormatException(error);

    public static bool TryParse(string pattern, [NotNullWhen(true)] out InternalPattern? parsed, [NotNullWhen(false)] out string? error)
    {
        parsed = null;
        var segments = pattern.Split('/')[1..].Select(segment => new GlobSegment(segment)).ToArray();
        var first = Array.FindIndex(segments, segment => segment.HasWildcard);
        error = !pattern.StartsWith('/') ? $"\"{pattern}\" is not absolute: a pattern begins with \"/\""
            : first < 0 ? $"\"{pattern}\" has no wildcard"
            : first == 0 ? "a pattern needs a directory before its first wildcard, so that not the whole file system is searched: write \"/out/*.txt\""
            : segments.Any(segment => segment.HasDoubleStar) ? "\"**\" does not search directories below: write a pattern for each level, or publish the directory with a trailing \"/\""
            : null;
        if (error is null)
            parsed = new InternalPattern("/" + string.Join('/', segments[..first].Select(segment => segment.Literal)), segments[first..]);
        return error is null;
    }

    /// <summary>Whether the file is one of those meant.</summary>
    /// <param name="relativePath">From <see cref="BaseDirectory"/>, with <c>/</c> between names and none at the ends.</param>
    public bool IsMatch(string relativePath)
    {
        var names = relativePath.Split('/');
        return names.Length == _segments.Length && MatchesStart(names);
    }

    /// <summary>Whether a file below the directory can match, so that a walk need not enter the others.</summary>
    /// <param name="relativeDirectory">As in <see cref="IsMatch"/>; empty for the base directory.</param>
    public bool CanMatchBelow(string relativeDirectory)
    {
        if (relativeDirectory.Length == 0)
            return true;
        var names = relativeDirectory.Split('/');
        return names.Length < _segments.Length && MatchesStart(names);
    }

    private bool MatchesStart(string[] names)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (!_segments[i].IsMatch(names[i]))
                return false;
        }
        return true;
    }
}
