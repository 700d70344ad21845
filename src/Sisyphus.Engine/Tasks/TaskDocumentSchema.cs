using System.Reflection;

namespace Sisyphus.Engine.Tasks;

/// <summary>The JSON schema (draft-07) of the task document, for editors and other tools; <c>docs/task-document.schema.json</c> in the repository.</summary>
/// <remarks>It knows the form; what depends on two places at once, such as paths nested in each other, only <see cref="TaskDocumentReader"/> knows.</remarks>
public static class TaskDocumentSchema
{
    /// <summary>Its <c>$id</c>.</summary>
    public const string Id = "urn:sisyphus:task-document";

    private static readonly Lazy<string> Schema = new(Load);

    /// <summary>The schema itself.</summary>
    public static string Text => Schema.Value;

    private static string Load()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("task-document.schema.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
