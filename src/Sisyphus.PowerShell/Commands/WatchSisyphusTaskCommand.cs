using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Running;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Watch, "SisyphusTask", DefaultParameterSetName = EventSet)]
[OutputType(typeof(QueueEvent), ParameterSetName = [EventSet])]
[OutputType(typeof(TaskOutputLine), ParameterSetName = [OutputSet])]
public sealed class WatchSisyphusTaskCommand : QueueCommand
{
    private const string EventSet = "Event";
    private const string OutputSet = "Output";

    private readonly List<string> _ids = [];

    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = EventSet)]
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = OutputSet, Mandatory = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter(ParameterSetName = EventSet)]
    public SwitchParameter Replay { get; set; }

    [Parameter(ParameterSetName = OutputSet, Mandatory = true)]
    public SwitchParameter Output { get; set; }

    protected override void ProcessRecord() => _ids.AddRange(Id);

    protected override void EndProcessing()
    {
        if (Output)
            WriteOutput();
        else if (_ids.Count == 0)
            FollowEvents();
        else
            WatchTasks();
    }

    private void FollowEvents()
    {
        foreach (var happened in FollowOrEnd(Queue.ReadEventsAsync(new EventQuery { After = Replay ? 0 : null, Follow = true }, StopToken)))
            WriteObject(happened);
    }

    private void WriteOutput()
    {
        List<string> pending = [];
        foreach (var task in FindTasks())
        {
            if (!task.HasEnded)
                pending.Add(task.Id);
            else
                WriteWarning($"Task {task.Id} has ended ({task.State}). What a task writes is shown while it runs, and kept where its document says so (the outputs '>' and '>>'); Get-SisyphusDeadLetter has the last lines of one that failed.");
        }
        if (pending.Count == 0)
            return;
        foreach (var line in FollowOrEnd(ReadOutput(pending)))
            WriteObject(TaskOutputLine.From(line));
    }

    private IAsyncEnumerable<OutputLine> ReadOutput(List<string> ids)
    {
        try
        {
            return Queue.ReadOutputAsync(ids, StopToken);
        }
        catch (ArgumentException e)
        {
            ThrowTerminatingError(ErrorRecords.OutputNotReadable(e));
            throw;
        }
    }

    private IEnumerable<TaskSummary> FindTasks()
    {
        foreach (var id in _ids.Distinct())
        {
            if (FindTask(id) is { } task)
                yield return task;
            else
                WriteError(ErrorRecords.TaskNotFound(id));
        }
    }

    private void WatchTasks()
    {
        var watch = new TaskWatch(Queue, _ids);
        foreach (var unknown in WaitOrEnd(watch.LookAsync(StopToken)))
            WriteError(ErrorRecords.TaskNotFound(unknown));
        foreach (var happened in FollowOrEnd(watch.EventsAsync(StopToken)))
            WriteObject(happened);
    }
}
