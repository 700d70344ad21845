using System.Management.Automation;

using Sisyphus.Engine.Queues;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusQueue")]
[OutputType(typeof(QueueInfo))]
public sealed class GetSisyphusQueueCommand : QueueCommand
{
    protected override void EndProcessing() => WriteObject(WaitOrEnd(Queue.GetInfoAsync(StopToken)));
}
