using System.Management.Automation;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Documents;
using Sisyphus.PowerShell.Running;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Invoke, "SisyphusTask", SupportsShouldProcess = true)]
[OutputType(typeof(TaskResult), typeof(TaskPlan))]
public sealed class InvokeSisyphusTaskCommand : RunningCommand
{
    private TaskEventWriter? _writer;
    private DockerContainerEngine? _engine;
    private ObjectStores? _stores;
    private TaskRunnerOptions? _options;
    private TaskRunner? _runner;
    private bool _engineAnswered;

    // Of type object: a document that does not bind would be an error without our id.
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("Task")]
    public object InputObject { get; set; } = null!;

    [Parameter]
    [ValidateRange(1, TaskRunnerOptions.MaxConcurrency)]
    public int ThrottleLimit { get; set; } = TaskRunnerOptions.DefaultConcurrency;

    [Parameter]
    public string? Node { get; set; }

    protected override void BeginProcessing()
    {
        var settings = this.ResolveSettings(Layer with { Node = Node });
        _stores = this.OpenStores(settings);
        _options = RunnerOptions(settings, ThrottleLimit);
        try
        {
            _options.Validate();
            _engine = DockerContainerEngine.Connect(settings.Engine);
        }
        catch (ArgumentException e)
        {
            ThrowTerminatingError(ErrorRecords.InvalidSetting(e, e.ParamName));
        }
        catch (TaskFailureException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(settings.Engine));
        }
        _writer = new TaskEventWriter(this, this.IsVerbose());
    }

    protected override void ProcessRecord()
    {
        foreach (var document in Read())
        {
            // The id is needed before the first event, to say which task an event is of.
            var task = document.Id is null ? document with { Id = Guid.CreateVersion7().ToString() } : document;
            if (ShouldProcess($"Run task {task} in a container of {task.Image}.", $"Run task {task} in a container of {task.Image}?", "Invoke-SisyphusTask", out var reason))
                Submit(task);
            else if (reason == ShouldProcessReason.WhatIf)
                WriteObject(WaitOrEnd(TaskRunner.PlanAsync(_engine!, _stores!, _options!, task, StopToken), task));
        }
    }

    protected override void EndProcessing()
    {
        _runner?.Complete();
        while (_runner is not null && WriteEvents())
        {
        }
        _writer!.CompleteProgress();
    }

    protected override void Dispose(bool disposing)
    {
        // Cancels what still runs and waits until its containers are gone, however the pipeline ended.
        if (disposing)
        {
            _runner?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _engine?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
        base.Dispose(disposing);
    }

    private IReadOnlyList<TaskDocument> Read()
    {
        try
        {
            return TaskDocuments.From(InputObject);
        }
        catch (InvalidTaskDocumentException e)
        {
            WriteError(e.ToErrorRecord(source: null, InputObject));
            return [];
        }
    }

    private void Submit(TaskDocument task)
    {
        // No engine: say so once, at once, rather than once a task after all its attempts.
        if (!_engineAnswered)
            WaitOrEnd(_engine!.GetInfoAsync(StopToken), task);
        _engineAnswered = true;
        // Not before there is something to run: -WhatIf makes no folder.
        _runner ??= CreateRunner();
        _writer!.Submitted(task);
        while (!_runner.TrySubmit(task))
            WriteEvents();
        while (_runner.Events.TryRead(out var happened))
            _writer.Write(happened);
    }

    private TaskRunner CreateRunner()
    {
        try
        {
            return new TaskRunner(_engine!, _stores!, _options!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ThrowTerminatingError(ErrorRecords.FileNotWritten(e, _options!.WorkDirectory));
            throw;
        }
    }

    /// <summary>Waits for events and writes those that are there; false after the last.</summary>
    private bool WriteEvents()
    {
        if (!WaitOrEnd(_runner!.Events.WaitToReadAsync(StopToken).AsTask()))
            return false;
        while (_runner.Events.TryRead(out var happened))
            _writer!.Write(happened);
        return true;
    }
}
