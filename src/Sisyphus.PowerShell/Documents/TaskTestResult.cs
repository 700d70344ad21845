using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Documents;

/// <summary>What <c>Test-SisyphusTask</c> found out about one document.</summary>
/// <param name="Source">The file, or empty for text and objects.</param>
/// <param name="Index">0-based place in an array of documents.</param>
/// <param name="Task">Name, id or image of a valid document; empty for one that is not.</param>
public sealed record TaskTestResult(string Source, int Index, bool IsValid, string Task, TaskDocumentError[] Errors)
{
    public static TaskTestResult From(string source, TaskDocumentReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return new(source, reading.Index, reading.IsValid, reading.Document?.ToString() ?? "", [.. reading.Errors]);
    }
}
