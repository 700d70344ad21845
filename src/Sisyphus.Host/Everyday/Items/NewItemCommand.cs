using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.New, "Item", DefaultParameterSetName = "pathSet", SupportsShouldProcess = true)]
public sealed class NewItemCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "pathSet")]
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = "nameSet")]
    public string[] Path { get; set; } = ["."];

    [Parameter(Mandatory = true, ParameterSetName = "nameSet")]
    public string? Name { get; set; }

    [Parameter]
    [Alias("Type")]
    public string ItemType { get; set; } = "File";

    [Parameter(ValueFromPipeline = true)]
    [Alias("Target")]
    public object? Value { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            var target = Name is null ? path : SessionState.Path.Combine(path, Name);
            if (!ShouldProcess(target, $"Create {ItemType}"))
                continue;
            try
            {
                WriteObject(InvokeProvider.Item.New([path], Name, ItemType, Value, Force), enumerateCollection: true);
            }
            catch (Exception e) when (EverydayErrors.IsItemError(e))
            {
                WriteError(e.ToRecord(target));
            }
        }
    }
}
