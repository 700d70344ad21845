using System.Management.Automation;

using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsData.Import, "SisyphusTask", DefaultParameterSetName = PathSet)]
[OutputType(typeof(TaskDocument))]
public sealed class ImportSisyphusTaskCommand : SisyphusCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    private const string JsonSet = "Json";

    [Parameter(ParameterSetName = PathSet, Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter(ParameterSetName = JsonSet, Mandatory = true)]
    public string Json { get; set; } = "";

    protected override void ProcessRecord()
    {
        if (ParameterSetName == JsonSet)
        {
            WriteDocuments(() => TaskDocuments.FromJson(Json), source: null, Json);
            return;
        }
        var literal = ParameterSetName == LiteralPathSet;
        foreach (var path in this.ResolveExisting(literal ? LiteralPath : Path, literal))
            WriteDocuments(() => DocumentFile.Read(path), path, path);
    }

    private void WriteDocuments(Func<IReadOnlyList<TaskDocument>> read, string? source, string target)
    {
        IReadOnlyList<TaskDocument> documents;
        try
        {
            documents = read();
        }
        catch (InvalidTaskDocumentException e)
        {
            WriteError(e.ToErrorRecord(source, target));
            return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WriteError(ErrorRecords.FileNotAccessible(e, target));
            return;
        }
        WriteObject(documents, enumerateCollection: true);
    }
}
