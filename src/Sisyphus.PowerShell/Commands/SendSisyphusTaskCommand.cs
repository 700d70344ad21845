using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommunications.Send, "SisyphusTask", SupportsShouldProcess = true)]
[OutputType(typeof(TaskSummary))]
public sealed class SendSisyphusTaskCommand : QueueCommand
{
    private TaskSender? _sender;
    private string? _trouble;

    // Of type object: a document that does not bind would be an error without our id.
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Task")]
    public object InputObject { get; set; } = null!;

    [Parameter]
    public string? Workflow { get; set; }

    [Parameter]
    [ValidateRange(0, 9)]
    public int Priority { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void BeginProcessing()
    {
        // As a document is checked: of a task of no such workflow nobody would hear.
        if (Workflow is not null && !WorkflowName.IsValid(Workflow))
            ThrowTerminatingError(ErrorRecords.InvalidSetting(new ArgumentException($"Workflow is '{Workflow}'; allowed: {WorkflowName.Allowed}.", nameof(Workflow)), Workflow));
        base.BeginProcessing();
    }

    protected override void ProcessRecord()
    {
        IReadOnlyList<TaskDocument> documents;
        try
        {
            documents = TaskDocuments.From(InputObject);
        }
        catch (InvalidTaskDocumentException e)
        {
            WriteError(e.ToErrorRecord(source: null, InputObject));
            return;
        }
        foreach (var document in documents.Select(Complete))
        {
            if (ShouldProcess($"Send task {document} to {Queue.Address}.", $"Send task {document} to {Queue.Address}?", "Send-SisyphusTask"))
                Send(document);
        }
    }

    protected override void EndProcessing()
    {
        _sender?.Complete();
        while (_sender is not null && WriteOutcomes())
        {
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _sender?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        base.Dispose(disposing);
    }

    private TaskDocument Complete(TaskDocument document) => document with
    {
        Id = document.Id ?? TaskId.New(),
        Workflow = Workflow ?? document.Workflow,
        Priority = MyInvocation.BoundParameters.ContainsKey(nameof(Priority)) ? Priority : document.Priority,
    };

    private void Send(TaskDocument document)
    {
        _sender ??= new TaskSender(Queue);
        while (!_sender.TrySend(document))
            WriteOutcomes();
        while (_sender.Outcomes.TryRead(out var sent))
            Write(sent);
    }

    /// <summary>Waits for outcomes and writes those that are there; false after the last.</summary>
    private bool WriteOutcomes()
    {
        var waiting = _sender!.Outcomes.WaitToReadAsync(StopToken).AsTask();
        while (!WaitOrEnd(EndsSoonAsync(waiting)))
            WarnOfTrouble();
        if (!WaitOrEnd(waiting))
            return false;
        while (_sender.Outcomes.TryRead(out var sent))
            Write(sent);
        return true;
    }

    /// <summary>Once for each reason.</summary>
    private void WarnOfTrouble()
    {
        if (Queue.Trouble is { } trouble && trouble != _trouble)
            WriteWarning($"{trouble} Nothing is lost; sending goes on when it does.");
        _trouble = Queue.Trouble;
    }

    private void Write(SentTask sent)
    {
        if (sent.Outcome.Result != SendResult.Sent)
            WriteError(ErrorRecords.NotSent(sent));
        else if (PassThru)
            WriteObject(new TaskSummary
            {
                Id = sent.Task.Id!,
                Name = sent.Task.Name,
                Workflow = sent.Task.Workflow,
                State = TaskState.Queued,
                Image = sent.Task.Image,
                Priority = sent.Task.Priority,
                Sent = DateTimeOffset.UtcNow,
            });
    }
}
