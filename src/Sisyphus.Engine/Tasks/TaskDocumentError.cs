namespace Sisyphus.Engine.Tasks;

/// <summary>One thing wrong with a document.</summary>
/// <param name="Line">1-based; 0 where the document has no text (it was made from objects).</param>
/// <param name="Column">1-based, counted in UTF-16 code units; 0 as for <paramref name="Line"/>.</param>
/// <param name="Path">JSON path of the offending value, for example <c>$.commands[0].command</c>.</param>
/// <param name="Message">One sentence; where a key was likely meant it ends with <c>did you mean "…"?</c></param>
public sealed record TaskDocumentError(int Line, int Column, string Path, string Message)
{
    public override string ToString() => Line > 0 ? $"({Line},{Column}) {Path}: {Message}" : $"{Path}: {Message}";
}
