using System.Collections;
using System.Management.Automation;

using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

/// <remarks>Every parameter binds by property name and none is of type object or ScriptBlock: that is what lets a script block compute it from each pipeline object.</remarks>
[Cmdlet(VerbsCommon.New, "SisyphusTask")]
[OutputType(typeof(TaskDocument))]
public sealed class NewSisyphusTaskCommand : SisyphusCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    public string Image { get; set; } = "";

    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [TaskCommandTransformation]
    public TaskCommand[] Command { get; set; } = [];

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public IDictionary? Input { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public IDictionary? Output { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Stdin")]
    public string? StandardInput { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Stdout")]
    public string? StandardOutput { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Stderr")]
    public string? StandardError { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Env")]
    public IDictionary? Environment { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Workdir")]
    public string? WorkingDirectory { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? User { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public TaskNetwork? Network { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [QuantityTransformation]
    public string? Timeout { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Cpus")]
    public double? Cpu { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [QuantityTransformation]
    public string? Memory { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [QuantityTransformation]
    public string? Disk { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Gpus")]
    public int? Gpu { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Pids")]
    public long? ProcessLimit { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Shm")]
    [QuantityTransformation]
    public string? SharedMemory { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Retries")]
    public int? Retry { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("RetryExitCodes")]
    public int[]? RetryExitCode { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public TaskPublishing? Publish { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public int? Priority { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Id { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Name { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Workflow { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Tags")]
    public IDictionary? Tag { get; set; }

    /// <summary>The pipeline object itself: what the script blocks see as <c>$_</c>, and the target of an error.</summary>
    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    protected override void ProcessRecord()
    {
        var json = DocumentJson.Write(writer => NewTaskJson.Write(writer, this));
        try
        {
            WriteObject(TaskDocuments.WithoutPositions(() => TaskDocumentReader.ReadAll(json)), enumerateCollection: true);
        }
        catch (InvalidTaskDocumentException e)
        {
            WriteError(e.ToErrorRecord(source: null, InputObject ?? (object)System.Text.Encoding.UTF8.GetString(json.Span)));
        }
    }
}
