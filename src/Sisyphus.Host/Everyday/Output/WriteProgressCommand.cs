using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommunications.Write, "Progress")]
public sealed class WriteProgressCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    public string? Activity { get; set; }

    [Parameter(Position = 1)]
    public string? Status { get; set; }

    [Parameter(Position = 2)]
    public int Id { get; set; }

    [Parameter]
    [ValidateRange(-1, 100)]
    public int PercentComplete { get; set; } = -1;

    [Parameter]
    public int SecondsRemaining { get; set; } = -1;

    [Parameter]
    public string? CurrentOperation { get; set; }

    [Parameter]
    public int ParentId { get; set; } = -1;

    [Parameter]
    public int SourceId { get; set; }

    [Parameter]
    public SwitchParameter Completed { get; set; }

    protected override void ProcessRecord()
    {
        // The record refuses empty texts; a completed one need not have any.
        var record = new ProgressRecord(Id, NotEmpty(Activity, " "), NotEmpty(Status, "Processing"))
        {
            ParentActivityId = ParentId,
            PercentComplete = PercentComplete,
            SecondsRemaining = SecondsRemaining,
            CurrentOperation = CurrentOperation,
            RecordType = Completed ? ProgressRecordType.Completed : ProgressRecordType.Processing,
        };
        // All calls are one source; otherwise each would be an activity of its own.
        CommandRuntime.WriteProgress(SourceId, record);
    }

    private static string NotEmpty(string? text, string otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;
}
