using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusTask")]
[OutputType(typeof(TaskSummary))]
public sealed class GetSisyphusTaskCommand : QueueCommand
{
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    public TaskState[] State { get; set; } = [];

    [Parameter]
    public string? Workflow { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(NodeNameCompleter))]
    public string? Node { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    protected override void ProcessRecord()
    {
        var query = new TaskQuery { Ids = Id, States = State, Workflow = Workflow, Node = Node, Last = Last };
        HashSet<string> missing = [.. Id];
        foreach (var task in EnumerateOrEnd(Queue.GetTasksAsync(query, StopToken)))
        {
            missing.Remove(task.Id);
            WriteObject(task);
        }
        // One that is there in another state is no error.
        foreach (var id in missing.Where(id => FindTask(id) is null))
            WriteError(ErrorRecords.TaskNotFound(id));
    }
}
