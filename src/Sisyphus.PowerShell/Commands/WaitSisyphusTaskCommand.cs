using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Wait, "SisyphusTask")]
[OutputType(typeof(TaskSummary))]
public sealed class WaitSisyphusTaskCommand : QueueCommand
{
    private const int ActivityId = 1;
    private readonly List<string> _ids = [];

    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    [QuantityTransformation]
    public string? Timeout { get; set; }

    protected override void ProcessRecord() => _ids.AddRange(Id);

    protected override void EndProcessing()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(StopToken);
        if (this.Duration(Timeout, nameof(Timeout), TimeSpan.Zero, TimeSpan.FromDays(365)) is { } timeout)
            end.CancelAfter(timeout);
        var wait = new TaskWait(Queue, [.. _ids.Distinct()]);
        var saidUnknown = false;
        foreach (var ended in EnumerateOrEnd(wait.StepsAsync(end.Token)))
        {
            if (!saidUnknown && wait.Unknown.Count > 0)
            {
                saidUnknown = true;
                WriteUnknown(wait);
            }
            ShowProgress(wait);
            if (ended is not null)
                WriteObject(ended);
        }
        if (!saidUnknown)
            WriteUnknown(wait);
        WriteProgress(new ProgressRecord(ActivityId, "Waiting for tasks", "Finished") { RecordType = ProgressRecordType.Completed });
        if (StopToken.IsCancellationRequested)
            throw new PipelineStoppedException();
        foreach (var id in wait.Pending)
            WriteError(ErrorRecords.WaitTimeout(id, Timeout!));
    }

    private void WriteUnknown(TaskWait wait)
    {
        foreach (var id in wait.Unknown)
            WriteError(ErrorRecords.TaskNotFound(id));
    }

    private void ShowProgress(TaskWait wait)
    {
        var counts = wait.Counts;
        var ended = counts.Where(count => count.Key.IsEnd()).Sum(count => count.Value);
        var total = counts.Values.Sum();
        WriteProgress(new ProgressRecord(ActivityId, "Waiting for tasks", string.Join(", ", counts.OrderBy(count => count.Key).Select(count => $"{count.Value} {count.Key}")))
        {
            PercentComplete = total == 0 ? -1 : ended * 100 / total,
        });
    }
}
