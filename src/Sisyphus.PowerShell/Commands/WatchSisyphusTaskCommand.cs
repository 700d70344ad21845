using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Watch, "SisyphusTask")]
[OutputType(typeof(QueueEvent))]
public sealed class WatchSisyphusTaskCommand : QueueCommand
{
    private readonly List<string> _ids = [];

    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    public SwitchParameter Replay { get; set; }

    protected override void ProcessRecord() => _ids.AddRange(Id);

    protected override void EndProcessing()
    {
        if (_ids.Count == 0)
            WriteEvents(new EventQuery { After = Replay ? 0 : null, Follow = true });
        else
            WatchTasks();
    }

    private void WatchTasks()
    {
        List<string> known = [];
        HashSet<string> pending = [];
        foreach (var id in _ids.Distinct())
        {
            var task = FindTask(id);
            if (task is null)
                WriteError(ErrorRecords.TaskNotFound(id));
            else
                known.Add(id);
            if (task is { HasEnded: false })
                pending.Add(id);
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
        foreach (var happened in EnumerateOrEnd(Queue.ReadEventsAsync(query, StopToken)))
        {
            last = happened.Sequence;
            WriteObject(happened);
            if (untilEnd && happened.Kind == QueueEventKind.TaskEnded)
                break;
        }
        return last;
    }
}
