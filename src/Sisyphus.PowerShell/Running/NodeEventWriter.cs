using System.Diagnostics;
using System.Management.Automation;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Running;

/// <summary>Writes what happens on a node to the streams of a cmdlet. A task that failed is a result, not an error of the node.</summary>
internal sealed class NodeEventWriter(PSCmdlet cmdlet, string name, bool verbose)
{
    private const int ActivityId = 1;

    private readonly TaskEventWriter _tasks = new(cmdlet, verbose, errors: false, parent: ActivityId);
    private NodeState? _state;
    private long _shown;
    private int _complete;
    private int _failed;

    public void Write(NodeEvent happened)
    {
        switch (happened)
        {
            case NodeTaskEvent task:
                Count(task.Event);
                _tasks.Write(task.Event, task.Title);
                ShowProgress(now: false);
                break;
            case NodeJoinedQueue joined:
                cmdlet.WriteVerbose(joined.ToString());
                break;
            case NodeWarned warning:
                cmdlet.WriteWarning(warning.Message);
                break;
            case NodeStateChanged change:
                Write(change);
                ShowProgress(now: true);
                break;
        }
    }

    public void CompleteProgress()
    {
        _tasks.CompleteProgress();
        cmdlet.WriteProgress(new ProgressRecord(ActivityId, $"Node {name}", "Left") { RecordType = ProgressRecordType.Completed });
    }

    private void Count(TaskEvent happened)
    {
        if (happened is not TaskFinished finished)
            return;
        if (finished.Result.State == TaskState.Complete)
            _complete++;
        else
            _failed++;
    }

    private void Write(NodeStateChanged change)
    {
        _state = change.State;
        if (change.State == NodeState.Paused)
            cmdlet.WriteWarning($"The node pauses: {change.Message}");
        else
            cmdlet.WriteVerbose($"The node is {change.State}. {change.Message}".TrimEnd());
    }

    private void ShowProgress(bool now)
    {
        if (_state is null || (!now && Stopwatch.GetElapsedTime(_shown) < TaskProgress.MinInterval))
            return;
        _shown = Stopwatch.GetTimestamp();
        cmdlet.WriteProgress(new ProgressRecord(ActivityId, $"Node {name}", $"{_state}: {_tasks.Shown} running, {_complete} complete, {_failed} not"));
    }
}
