namespace Sisyphus.Engine.Tasks;

/// <summary>Reads task documents from JSON (RFC 8259, UTF-8, an optional byte order mark).</summary>
public static class TaskDocumentReader
{
    /// <summary>Reads one document or an array of them, strictly (authoring): unknown and duplicate keys are errors.</summary>
    /// <exception cref="InvalidTaskDocumentException">With every error of every document.</exception>
    public static IReadOnlyList<TaskDocument> ReadAll(ReadOnlyMemory<byte> json) => throw new NotImplementedException();

    /// <summary>Reads one document as a node does: keys newer than this version are kept in <see cref="TaskDocument.Extensions"/> and named in <paramref name="warnings"/>.</summary>
    public static TaskDocument ReadLenient(ReadOnlyMemory<byte> json, out IReadOnlyList<string> warnings) => throw new NotImplementedException();
}
