using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Move, "Item", DefaultParameterSetName = "Path", SupportsShouldProcess = true)]
public sealed class MoveItemCommand : ItemCommand
{
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    public string Destination { get; set; } = ".";

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void Process(string path)
    {
        if (!ShouldProcess($"Item: {path} Destination: {Destination}", "Move Item"))
            return;
        foreach (var item in Resolve(path).Select(i => i.Path).ToArray())
        {
            var moved = InvokeProvider.Item.Move([item], Destination, Force, literalPath: true);
            if (PassThru)
                WriteObject(moved, enumerateCollection: true);
        }
    }
}
