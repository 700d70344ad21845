using System.Text.Json;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>What the reading of one text finds besides the documents.</summary>
internal sealed class ReadContext(SourceText text, bool lenient)
{
    /// <summary>More would help nobody, and a text of millions of wrong values must not fill the memory.</summary>
    internal const int MaxErrors = 1000;

    private readonly List<(int Offset, string Path, string Message)> _errors = [];
    private readonly List<string> _warnings = [];

    /// <summary>All of them, also those beyond <see cref="MaxErrors"/>.</summary>
    internal int ErrorCount { get; private set; }
    internal IReadOnlyList<string> Warnings => _warnings;

    internal void Error(SourceValue at, string message) => Error(at.Start, at, message);

    /// <summary>An error of a key rather than of its value.</summary>
    internal void Error(SourceMember at, string message) => Error(at.NameStart, at.Value, message);

    internal void Error(int offset, string message) => Add(offset, "$", message);

    /// <summary>Takes a key that nothing reads: an error for an author, a thing to keep for a node.</summary>
    internal void Unknown(SourceMember member, IReadOnlyList<string> known, ref Dictionary<string, JsonElement>? kept)
    {
        if (!lenient)
        {
            var meant = Suggestion.For(member.Name, known);
            Error(member, meant is null
                ? $"the key \"{member.Name}\" is unknown; known here: {string.Join(", ", known)}"
                : $"the key \"{member.Name}\" is unknown; did you mean \"{meant}\"?");
            return;
        }
        using var json = JsonDocument.Parse(text.Bytes[member.Value.Start..member.Value.End], new JsonDocumentOptions { MaxDepth = JsonSyntax.MaxDepth });
        (kept ??= []).Add(member.Name, json.RootElement.Clone());
        _warnings.Add($"{member.Value.Path}: the key \"{member.Name}\" is newer than this version, or misspelled; it is ignored");
    }

    /// <summary>The errors so far, in the order of the text; the next call starts anew.</summary>
    internal IReadOnlyList<TaskDocumentError> TakeErrors()
    {
        // Positions are counted here, in ascending order: anywhere else each would be counted from the start of the text.
        var errors = new List<TaskDocumentError>(_errors.Count);
        foreach (var (offset, path, message) in _errors.OrderBy(error => error.Offset))
        {
            var (line, column) = text.Locate(offset);
            errors.Add(new TaskDocumentError(line, column, path, message));
        }
        _errors.Clear();
        return errors;
    }

    private void Error(int offset, SourceValue at, string message)
    {
        if (ErrorCount < MaxErrors)
            Add(offset, at.Path, message);
        else if (ErrorCount == MaxErrors)
            Add(offset, at.Path, $"more than {MaxErrors} errors; the others are not shown");
        else
            ErrorCount++;
    }

    private void Add(int offset, string path, string message)
    {
        ErrorCount++;
        _errors.Add((offset, path, message));
    }
}
