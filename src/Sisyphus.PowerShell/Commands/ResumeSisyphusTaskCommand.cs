using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Resume, "SisyphusTask", SupportsShouldProcess = true)]
[OutputType(typeof(TaskSummary))]
public sealed class ResumeSisyphusTaskCommand : QueueCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        var ids = Id.Where(id => ShouldProcess($"task {id}", "Put back on the queue")).ToArray();
        if (ids.Length == 0)
            return;
        foreach (var (id, resumed) in ids.Zip(WaitOrEnd(Queue.ResumeAsync(ids, StopToken))))
        {
            if (!resumed)
                WriteError(ErrorRecords.NoDeadLetter(id));
            else if (PassThru && FindTask(id) is { } task)
                WriteObject(task);
        }
    }
}
