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
            WriteEvents(new EventQuery { After = Replay ? 0 : null, Follow = true });
        else
            WatchTasks();
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
        List<string> known = [];
        HashSet<string> pending = [];
        foreach (var task in FindTasks())
        {
            known.Add(task.Id);
            if (!task.HasEnded)
                pending.Add(task.Id);
        }
        if (known.Count == 0)
            return;
        // What is known of named tasks comes first, so that a task that has ended already has something to show.
        // Not to wait for its end: a dead letter may be older than the events that are kept.
        var last = WriteEvents(new EventQuery { TaskIds = known });
        while (pending.Count > 0)
        {
            // Whether a task has ended for good its state says, for it may have been resumed; that its last event is on the log by then, the queue.
            var ended = pending.Where(id => FindTask(id) is null or { HasEnded: true }).ToArray();
            last = WriteEvents(new EventQuery { After = last, TaskIds = [.. pending], Follow = ended.Length == 0 }, untilEnd: ended.Length == 0);
            pending.ExceptWith(ended);
        }
    }

    /// <param name="untilEnd">No further than the first end of a task.</param>
    /// <returns>The last event's sequence.</returns>
    private long WriteEvents(EventQuery query, bool untilEnd = false)
    {
        var last = query.After ?? 0;
        foreach (var happened in FollowOrEnd(Queue.ReadEventsAsync(query, StopToken)))
        {
            last = happened.Sequence;
            WriteObject(happened);
            if (untilEnd && happened.Kind == QueueEventKind.TaskEnded)
                break;
        }
        return last;
    }
}
