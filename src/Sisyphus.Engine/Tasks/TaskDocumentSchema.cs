namespace Sisyphus.Engine.Tasks;

/// <summary>The JSON schema of the task document, for editors and other tools.</summary>
/// <remarks>It knows the form; nesting and duplicates of paths are the reader's business.</remarks>
public static class TaskDocumentSchema
{
    public const string Id = "urn:sisyphus:task-document";
}
