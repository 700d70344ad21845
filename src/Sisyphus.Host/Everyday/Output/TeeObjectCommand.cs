using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet("Tee", "Object", DefaultParameterSetName = "File")]
public sealed class TeeObjectCommand : PSCmdlet
{
    private readonly List<object?> _seen = [];
    private SteppablePipeline? _file;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "File")]
    [Alias("Path")]
    public string? FilePath { get; set; }

    [Parameter(ParameterSetName = "File")]
    public SwitchParameter Append { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Variable")]
    public string? Variable { get; set; }

    protected override void BeginProcessing()
    {
        if (FilePath is null)
            return;
        // A steppable pipeline's arguments reach its command only by splatting.
        var parameters = new System.Collections.Hashtable { ["FilePath"] = FilePath, ["Append"] = Append };
        _file = ScriptBlock.Create("param($parameters) Out-File @parameters").GetSteppablePipeline(CommandOrigin.Internal, [parameters]);
        _file.Begin(expectInput: true);
    }

    protected override void ProcessRecord()
    {
        if (_file is null)
            _seen.Add(InputObject);
        else
            _file.Process(InputObject);
        WriteObject(InputObject);
    }

    protected override void EndProcessing()
    {
        _file?.End();
        if (Variable is not null)
            SessionState.PSVariable.Set(Variable, _seen is [var one] ? one : _seen.ToArray());
    }
}
