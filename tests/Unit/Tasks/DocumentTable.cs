using System.Globalization;
using System.Text.RegularExpressions;

namespace Sisyphus.Tests.Unit.Tasks;

/// <summary>The table of good and bad documents in <c>documents/*.txt</c>.</summary>
/// <remarks>
/// A row is <c>=== kind: name</c>, the document, and for bad ones <c>---</c> with a line for each error:
/// <c>line:column path | part of the message</c>, in the order of the text. The kinds:
/// <c>valid</c>; <c>invalid</c>, where the schema refuses as the reader does; <c>reader-only</c>, where the schema can't know and accepts;
/// <c>not-json</c>, where there is nothing for a schema to look at.
/// </remarks>
internal static partial class DocumentTable
{
    internal static readonly IReadOnlyDictionary<string, DocumentRow> Rows = Directory
        .EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Tasks", "documents"), "*.txt")
        .SelectMany(file => Parse(File.ReadAllText(file)))
        .ToDictionary(row => row.Name);

    internal static IEnumerable<string> Names(params string[] kinds) => Rows.Values.Where(row => kinds.Contains(row.Kind)).Select(row => row.Name);

    private static IEnumerable<DocumentRow> Parse(string text)
    {
        foreach (var section in Heading().Split(text).Skip(1).Chunk(3))
        {
            var parts = section[2].Split("\n---\n");
            var errors = parts.Length == 1 ? [] : parts[1].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ParseError).ToList();
            yield return new DocumentRow(section[0], section[1], parts[0].TrimEnd('\n'), errors);
        }
    }

    private static ExpectedError ParseError(string line)
    {
        var match = ErrorLine().Match(line);
        return match.Success
            ? new ExpectedError(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), match.Groups[3].Value, match.Groups[4].Value)
            : throw new FormatException($"Not an expected error: {line}");
    }

    [GeneratedRegex(@"^=== ([a-z-]+): (.+)\n", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\A([0-9]+):([0-9]+) (\S.*?) \| (.+)\z")]
    private static partial Regex ErrorLine();
}

internal sealed record DocumentRow(string Kind, string Name, string Text, IReadOnlyList<ExpectedError> Errors);

internal sealed record ExpectedError(int Line, int Column, string Path, string Message);
