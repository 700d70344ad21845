using System.Management.Automation;

using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsDiagnostic.Test, "SisyphusTask", DefaultParameterSetName = InputObjectSet)]
[OutputType(typeof(TaskTestResult), typeof(bool))]
public sealed class TestSisyphusTaskCommand : SisyphusCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    private const string InputObjectSet = "InputObject";

    [Parameter(ParameterSetName = PathSet, Mandatory = true, Position = 0)]
    [SupportsWildcards]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter(ParameterSetName = InputObjectSet, Mandatory = true, ValueFromPipeline = true)]
    public PSObject InputObject { get; set; } = null!;

    [Parameter]
    public SwitchParameter Quiet { get; set; }

    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case PathSet:
                TestFiles(Path, literal: false);
                break;
            case LiteralPathSet:
                TestFiles(LiteralPath, literal: true);
                break;
            // A file of Get-ChildItem; by value, because an object-typed parameter would win over one by property name.
            case var _ when InputObject.Properties["PSPath"]?.Value is string path:
                TestFiles([path], literal: true);
                break;
            case var _ when InputObject.BaseObject is string text && !IsJson(text):
                TestFiles([text], literal: false);
                break;
            default:
                Write("", TaskDocuments.Examine(InputObject));
                break;
        }
    }

    private static bool IsJson(string text) => text.AsSpan().TrimStart() is ['{' or '[', ..];

    private void TestFiles(IEnumerable<string> paths, bool literal)
    {
        foreach (var path in this.ResolveExisting(paths, literal))
        {
            try
            {
                Write(path, DocumentFile.Examine(path));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                WriteError(ErrorRecords.FileNotAccessible(e, path));
            }
        }
    }

    private void Write(string source, IReadOnlyList<TaskDocumentReading> readings)
    {
        if (Quiet)
            WriteObject(readings.Count > 0 && readings.All(reading => reading.IsValid));
        else
            WriteObject(readings.Select(reading => TaskTestResult.From(source, reading)), enumerateCollection: true);
    }
}
