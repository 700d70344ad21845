using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusNode")]
[OutputType(typeof(NodeInfo))]
public sealed class GetSisyphusNodeCommand : QueueCommand
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(NodeNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    protected override void ProcessRecord()
    {
        var nodes = WaitOrEnd(Queue.GetNodesAsync(StopToken));
        foreach (var name in Name)
        {
            var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            var found = nodes.Where(node => pattern.IsMatch(node.Name)).ToArray();
            if (found.Length == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
                WriteError(ErrorRecords.NodeNotFound(name));
            WriteObject(found, enumerateCollection: true);
        }
    }
}
