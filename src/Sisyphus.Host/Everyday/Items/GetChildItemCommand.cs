using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "ChildItem", DefaultParameterSetName = "Path")]
public sealed class GetChildItemCommand : PSCmdlet
{
    private NameFilter _names = null!;

    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Path")]
    public string[] Path { get; set; } = ["."];

    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "LiteralPath")]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter(Position = 1)]
    public string? Filter { get; set; }

    [Parameter]
    public string[]? Include { get; set; }

    [Parameter]
    public string[]? Exclude { get; set; }

    [Parameter]
    [Alias("s", "r")]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public uint Depth { get; set; } = uint.MaxValue;

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter Name { get; set; }

    [Parameter]
    public SwitchParameter File { get; set; }

    [Parameter]
    [Alias("ad")]
    public SwitchParameter Directory { get; set; }

    protected override void BeginProcessing() => _names = new NameFilter(Filter, Include, Exclude);

    protected override void ProcessRecord()
    {
        var literal = ParameterSetName == "LiteralPath";
        var recurse = Recurse || MyInvocation.BoundParameters.ContainsKey(nameof(Depth));
        foreach (var path in literal ? LiteralPath : Path)
        {
            try
            {
                foreach (var item in InvokeProvider.ChildItem.Get([path], recurse, Depth, Force, literal))
                    Write(item, path);
            }
            catch (Exception e) when (EverydayErrors.IsItemError(e))
            {
                WriteError(e.ToRecord(path));
            }
        }
    }

    private void Write(PSObject item, string root)
    {
        var container = item.Properties["PSIsContainer"]?.Value is true;
        var name = item.Properties["PSChildName"]?.Value as string ?? "";
        if ((File && container) || (Directory && !container) || !_names.Accepts(name))
            return;
        if (!Name)
            WriteObject(item);
        else if (item.BaseObject is FileSystemInfo file && Recurse)
            WriteObject(System.IO.Path.GetRelativePath(SessionState.Path.GetUnresolvedProviderPathFromPSPath(root), file.FullName));
        else
            WriteObject(name);
    }
}
