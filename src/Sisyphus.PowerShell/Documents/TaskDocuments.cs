using System.Management.Automation;
using System.Text;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Documents;

/// <summary>Turns what a user hands a cmdlet (documents, JSON text, hashtables, objects that came through a job or remoting) into documents.</summary>
internal static class TaskDocuments
{
    private const string DeserializedTypeName = "Deserialized.Sisyphus.Engine.Tasks.TaskDocument";

    /// <exception cref="InvalidTaskDocumentException">With every error.</exception>
    public static IReadOnlyList<TaskDocument> From(object? value)
    {
        switch (PowerShellValue.Unwrap(value))
        {
            case TaskDocument document:
                return [document];
            case string text:
                return FromJson(text);
            case PSObject custom when custom.TypeNames.Contains(DeserializedTypeName) && custom.Properties["Json"]?.Value is string json:
                return FromJson(json);
            case var other when PowerShellValue.Entries(other) is not null:
                return WithoutPositions(() => TaskDocumentReader.ReadAll(DocumentJson.FromObject(other)));
            case var other when PowerShellValue.Elements(other) is { } elements:
                return [.. elements.SelectMany(From)];
            case var other:
                throw new InvalidTaskDocumentException([new TaskDocumentError(0, 0, "$",
                    $"{(other is null ? "null" : other.GetType().Name)} is no task document. A document is JSON text, a hashtable, or what New-SisyphusTask and Import-SisyphusTask return.")]);
        }
    }

    /// <summary>As <see cref="From"/>, each document of a text with its own errors.</summary>
    public static IReadOnlyList<TaskDocumentReading> Examine(object? value)
    {
        if (PowerShellValue.Unwrap(value) is string text)
            return TaskDocumentReader.Examine(Encoding.UTF8.GetBytes(text));
        try
        {
            return [.. From(value).Select((document, index) => new TaskDocumentReading(index, document, []))];
        }
        catch (InvalidTaskDocumentException e)
        {
            return [new TaskDocumentReading(0, null, e.Errors)];
        }
    }

    public static IReadOnlyList<TaskDocument> FromJson(string json) => TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(json));

    /// <summary>Reads generated JSON: the user never saw that text, so line and column would mislead.</summary>
    public static T WithoutPositions<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidTaskDocumentException e)
        {
            throw new InvalidTaskDocumentException([.. e.Errors.Select(error => error with { Line = 0, Column = 0 })]);
        }
    }
}
