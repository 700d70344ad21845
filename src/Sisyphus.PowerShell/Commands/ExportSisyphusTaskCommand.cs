using System.Management.Automation;

using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsData.Export, "SisyphusTask", DefaultParameterSetName = PathSet, SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportSisyphusTaskCommand : SisyphusCommand
{
    private const string PathSet = "Path";
    private const string LiteralPathSet = "LiteralPath";
    // Files in the order in which they were first named, each with its documents.
    private readonly OrderedDictionary<string, List<TaskDocument>> _files = [];

    [Parameter(ParameterSetName = PathSet, Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    public string Path { get; set; } = "";

    [Parameter(ParameterSetName = LiteralPathSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string LiteralPath { get; set; } = "";

    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public object InputObject { get; set; } = null!;

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    [Alias("NoOverwrite")]
    public SwitchParameter NoClobber { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        if (this.ResolveNew(ParameterSetName == PathSet ? Path : LiteralPath) is not { } path)
            return;
        try
        {
            foreach (var document in TaskDocuments.From(InputObject))
                Add(path, document);
        }
        catch (InvalidTaskDocumentException e)
        {
            WriteError(e.ToErrorRecord(source: null, InputObject));
        }
    }

    // Only the end shows whether a file holds one document or an array.
    protected override void EndProcessing()
    {
        foreach (var (path, documents) in _files)
            Write(path, documents);
    }

    private void Add(string path, TaskDocument document)
    {
        var folder = Directory.Exists(path) || path.EndsWith(System.IO.Path.DirectorySeparatorChar) || path.EndsWith(System.IO.Path.AltDirectorySeparatorChar);
        var file = folder ? System.IO.Path.Combine(path, FileName(document)) : path;
        if (!_files.TryGetValue(file, out var documents))
            _files[file] = documents = [];
        documents.Add(document);
    }

    private string FileName(TaskDocument document)
    {
        var name = document.Id ?? document.Name ?? $"task-{_files.Count + 1}";
        return string.Concat(name.Select(c => System.IO.Path.GetInvalidFileNameChars().Contains(c) ? '_' : c)) + ".json";
    }

    private void Write(string path, List<TaskDocument> documents)
    {
        if (!ShouldProcess(path, documents.Count == 1 ? "Write task" : $"Write {documents.Count} tasks"))
            return;
        var existing = new FileInfo(path);
        if (existing.Exists && NoClobber)
        {
            WriteError(ErrorRecords.FileExists(path));
            return;
        }
        try
        {
            if (existing is { Exists: true, IsReadOnly: true })
                existing.IsReadOnly = Force ? false : throw new UnauthorizedAccessException($"The file {path} is read-only; -Force replaces it.");
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            DocumentFile.Write(path, documents);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WriteError(ErrorRecords.FileNotWritten(e, path));
            return;
        }
        if (PassThru)
            WriteObject(new FileInfo(path));
    }
}
