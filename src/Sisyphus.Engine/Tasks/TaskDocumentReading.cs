namespace Sisyphus.Engine.Tasks;

/// <summary>One document of a text: what it says, or why it says nothing.</summary>
/// <param name="Index">0-based place in the array, 0 where the text is a single document.</param>
/// <param name="Document">The document, or null when there are errors.</param>
/// <param name="Errors">In the order of the text.</param>
public sealed record TaskDocumentReading(int Index, TaskDocument? Document, IReadOnlyList<TaskDocumentError> Errors)
{
    public bool IsValid => Document is not null;
}
