using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Documents;

/// <summary>What <c>Test-SisyphusTask</c> found.</summary>
/// <param name="Source">The file, or empty for text and objects.</param>
/// <param name="Count">Documents in it; 0 when it is not valid.</param>
public sealed record TaskTestResult(string Source, bool IsValid, int Count, IReadOnlyList<TaskDocumentError> Errors);
