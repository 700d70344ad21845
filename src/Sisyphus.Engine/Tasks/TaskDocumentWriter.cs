namespace Sisyphus.Engine.Tasks;

/// <summary>Writes documents in their shortest form; what it writes reads back as an equal document.</summary>
public static class TaskDocumentWriter
{
    /// <summary>UTF-8 JSON without a byte order mark.</summary>
    public static byte[] Write(TaskDocument document, bool indented = false) => throw new NotImplementedException();
}
