using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Stop, "SisyphusNode", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopSisyphusNodeCommand : QueueCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(NodeNameCompleter))]
    public string[] Name { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            if (ShouldProcess($"node {name}", Force ? "Abandon" : "Drain")
                && !WaitOrEnd(Queue.StopNodeAsync(name, Force ? NodeStop.Abandon : NodeStop.Drain, StopToken)))
                WriteError(ErrorRecords.NodeNotFound(name));
        }
    }
}
