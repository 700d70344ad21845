using System.Management.Automation;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Settings;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Completers;

namespace Sisyphus.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "SisyphusTask", DefaultParameterSetName = QueueSet)]
[OutputType(typeof(TaskSummary), ParameterSetName = [QueueSet])]
[OutputType(typeof(AttemptRecord), ParameterSetName = [BucketSet])]
public sealed class GetSisyphusTaskCommand : QueueCommand
{
    private const string QueueSet = "Queue";
    private const string BucketSet = "Bucket";
    private ObjectStores? _stores;
    private RemotePath? _bucket;

    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(TaskIdCompleter))]
    public string[] Id { get; set; } = [];

    [Parameter(ParameterSetName = QueueSet)]
    public TaskState[] State { get; set; } = [];

    [Parameter(ParameterSetName = QueueSet)]
    public string? Workflow { get; set; }

    [Parameter(ParameterSetName = QueueSet)]
    [ArgumentCompleter(typeof(NodeNameCompleter))]
    public string? Node { get; set; }

    [Parameter(ParameterSetName = QueueSet)]
    [ValidateRange(1, int.MaxValue)]
    public int? Last { get; set; }

    [Parameter(ParameterSetName = BucketSet, Mandatory = true)]
    public string Bucket { get; set; } = "";

    [Parameter(ParameterSetName = BucketSet)]
    public string? Store { get; set; }

    protected override void BeginProcessing()
    {
        if (ParameterSetName == QueueSet)
        {
            base.BeginProcessing();
            return;
        }
        _stores = this.OpenStores(this.ResolveSettings(new SettingsLayer { Store = this.StoreLocation(Store) }));
        try
        {
            _bucket = RemotePath.Parse(Bucket.Contains(':', StringComparison.Ordinal) ? Bucket : Bucket + ":");
        }
        catch (FormatException e)
        {
            ThrowTerminatingError(ErrorRecords.InvalidRemotePath(e, Bucket));
        }
    }

    protected override void ProcessRecord()
    {
        if (_bucket is null)
        {
            WriteTasks();
            return;
        }
        if (Id.Length == 0)
            WriteRecords(null);
        foreach (var id in Id)
        {
            if (!TaskId.IsValid(id) || !WriteRecords(id))
                WriteError(ErrorRecords.TaskNotFound(id, _bucket));
        }
    }

    private void WriteTasks()
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

    /// <returns>Whether there was anything, readable or not.</returns>
    private bool WriteRecords(string? id)
    {
        var any = false;
        var failures = Failures;
        foreach (var found in Enumerate(TaskRecords.ReadAsync(_stores!, _bucket!, id, StopToken), _bucket))
        {
            any = true;
            if (found.Error is { } error)
                WriteError(error.ForObject(found.Path));
            else
                WriteObject(found.Record);
        }
        return any || Failures > failures;
    }
}
