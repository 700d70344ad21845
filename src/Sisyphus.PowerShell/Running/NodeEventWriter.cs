using System.Management.Automation;

using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;

namespace Sisyphus.PowerShell.Running;

/// <summary>Writes what happens on a node to the streams of a cmdlet. A task that failed is a result, not an error of the node.</summary>
internal sealed class NodeEventWriter(PSCmdlet cmdlet, bool verbose)
{
    private readonly TaskEventWriter _tasks = new(cmdlet, verbose, errors: false);

    public void Write(NodeEvent happened)
    {
        switch (happened)
        {
            case NodeTaskEvent task:
                _tasks.Write(task.Event, task.Title);
                break;
            case NodeStateChanged { State: NodeState.Paused } paused:
                cmdlet.WriteWarning($"The node pauses: {paused.Message}");
                break;
            case NodeStateChanged change:
                cmdlet.WriteVerbose($"The node is {change.State}. {change.Message}".TrimEnd());
                break;
        }
    }

    public void CompleteProgress() => _tasks.CompleteProgress();
}
