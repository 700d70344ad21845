using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Watch, "SisyphusTask")]
[OutputType(typeof(QueueEvent))]
public sealed class WatchSisyphusTaskCommand : QueueCommand
{
    private readonly List<string> _ids = [];

    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    public SwitchParameter Replay { get; set; }

    protected override void ProcessRecord() => _ids.AddRange(Id);

    protected override void EndProcessing()
    {
        HashSet<string> pending = [];
        foreach (var id in _ids.Distinct())
        {
            if (FindTask(id) is null)
                WriteError(ErrorRecords.TaskNotFound(id));
            else
                pending.Add(id);
        }
        if (_ids.Count > 0 && pending.Count == 0)
            return;
        // What is known of named tasks comes first, so that a task that has ended already has something to show.
        var query = new EventQuery { After = Replay || _ids.Count > 0 ? 0 : null, TaskIds = [.. pending], Follow = true };
        foreach (var happened in EnumerateOrEnd(Queue.ReadEventsAsync(query, StopToken)))
        {
            WriteObject(happened);
            // A task that was resumed after an end has not ended.
            if (_ids.Count > 0 && happened is { Kind: QueueEventKind.TaskEnded, TaskId: { } id } && FindTask(id) is null or { HasEnded: true } && pending.Remove(id) && pending.Count == 0)
                return;
        }
    }
}
