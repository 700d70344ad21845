using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Resume, "SisyphusTask", SupportsShouldProcess = true)]
[OutputType(typeof(TaskSummary))]
public sealed class ResumeSisyphusTaskCommand : QueueCommand
{
    /// <summary>Each call looks through all dead letters, and nobody else reads them meanwhile.</summary>
    private const int BatchSize = 200;

    private readonly List<string> _ids = [];

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var id in Id.Where(id => ShouldProcess($"task {id}", "Put back on the queue")))
        {
            _ids.Add(id);
            if (_ids.Count == BatchSize)
                Resume();
        }
    }

    protected override void EndProcessing() => Resume();

    private void Resume()
    {
        if (_ids.Count == 0)
            return;
        string[] ids = [.. _ids];
        _ids.Clear();
        foreach (var (id, resumed) in ids.Zip(WaitOrEnd(Queue.ResumeAsync(ids, StopToken))))
        {
            if (!resumed)
                WriteError(ErrorRecords.NoDeadLetter(id));
            else if (PassThru && FindTask(id) is { } task)
                WriteObject(task);
        }
    }
}
