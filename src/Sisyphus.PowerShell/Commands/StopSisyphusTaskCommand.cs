using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Stop, "SisyphusTask", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(TaskSummary))]
public sealed class StopSisyphusTaskCommand : QueueCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        var ids = Id.Where(id => ShouldProcess($"task {id}", "Cancel")).ToArray();
        if (ids.Length == 0)
            return;
        foreach (var outcome in WaitOrEnd(Queue.CancelAsync(ids, StopToken)))
        {
            if (outcome.Result == CancelResult.Unknown)
                WriteError(ErrorRecords.TaskNotFound(outcome.TaskId));
            else if (outcome.Result == CancelResult.AlreadyEnded)
                WriteError(ErrorRecords.TaskEnded(outcome));
            else if (PassThru && FindTask(outcome.TaskId) is { } task)
                WriteObject(task);
        }
    }
}
