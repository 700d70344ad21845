using System.Diagnostics;
using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;
using Sisyphus.PowerShell.Documents;
using Sisyphus.PowerShell.Running;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Wait, "SisyphusTask")]
[OutputType(typeof(TaskSummary))]
public sealed class WaitSisyphusTaskCommand : QueueCommand
{
    private const int ActivityId = 1;
    // The longest that a timer takes is 49 days.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(49);

    private readonly List<string> _ids = [];
    private readonly CancellationTokenSource _enough = new();
    private TimeSpan? _timeout;
    private long? _shown;

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter]
    [QuantityTransformation]
    public string? Timeout { get; set; }

    protected override void BeginProcessing()
    {
        _timeout = this.Duration(Timeout, nameof(Timeout), TimeSpan.Zero, s_longest);
        base.BeginProcessing();
    }

    protected override void ProcessRecord() => _ids.AddRange(Id);

    protected override void EndProcessing()
    {
        if (_timeout is not null)
            _enough.CancelAfter(_timeout.Value);
        var wait = new TaskWait(Queue, [.. _ids.Distinct()]);
        var saidUnknown = false;
        foreach (var ended in FollowOrEnd(wait.StepsAsync(_enough.Token, StopToken)))
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
        foreach (var id in wait.Pending)
            WriteError(ErrorRecords.WaitTimeout(id, Timeout!));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _enough.Dispose();
        base.Dispose(disposing);
    }

    private void WriteUnknown(TaskWait wait)
    {
        foreach (var id in wait.Unknown)
            WriteError(ErrorRecords.TaskNotFound(id));
    }

    private void ShowProgress(TaskWait wait)
    {
        if (_shown is { } shown && Stopwatch.GetElapsedTime(shown) < TaskProgress.MinInterval)
            return;
        _shown = Stopwatch.GetTimestamp();
        var counts = wait.Counts;
        var ended = counts.Where(count => count.Key.IsEnd()).Sum(count => count.Value);
        var total = counts.Values.Sum();
        WriteProgress(new ProgressRecord(ActivityId, "Waiting for tasks", string.Join(", ", counts.Where(count => count.Value > 0).OrderBy(count => count.Key).Select(count => $"{count.Value} {count.Key}")))
        {
            PercentComplete = total == 0 ? -1 : ended * 100 / total,
        });
    }
}
