using System.Management.Automation;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;

namespace Sisyphus.PowerShell.Running;

/// <summary>A node in the background of the session. Its output are the results of the tasks; stopping it abandons.</summary>
internal sealed class NodeJob : Job
{
    private readonly NodeHost _host;
    private readonly Task _run;
    private volatile bool _stopped;

    public NodeJob(string command, string name, NodeHost host)
        : base(command, name)
    {
        _host = host;
        PSJobTypeName = "SisyphusNode";
        SetJobState(JobState.Running);
        _run = Task.Run(RunAsync);
    }

    public override bool HasMoreData => Output.Count + Error.Count + Warning.Count + Verbose.Count > 0;

    public override string Location => Environment.MachineName;

    public override string StatusMessage => "";

    public override void StopJob()
    {
        _stopped = true;
        _host.Node.Abandon();
        _run.GetAwaiter().GetResult();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_run.IsCompleted)
            StopJob();
        base.Dispose(disposing);
    }

    private async Task RunAsync()
    {
        try
        {
            var running = _host.Node.RunAsync(CancellationToken.None);
            await foreach (var happened in _host.Node.Events.ReadAllAsync().ConfigureAwait(false))
                Add(happened);
            await running.ConfigureAwait(false);
            SetJobState(_stopped ? JobState.Stopped : JobState.Completed);
        }
        catch (QueueException e)
        {
            Fail(e.ToErrorRecord());
        }
        catch (Exception e)
        {
            Fail(ErrorRecords.Unexpected(e, null));
        }
        finally
        {
            await _host.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Add(NodeEvent happened)
    {
        switch (happened)
        {
            case NodeTaskEvent { Event: TaskFinished finished }:
                Output.Add(PSObject.AsPSObject(finished.Result));
                break;
            case NodeTaskEvent { Event: TaskWarned warning } task:
                Warning.Add(new WarningRecord($"{task.Title}: {warning.Message}"));
                break;
            case NodeStateChanged { State: NodeState.Paused } paused:
                Warning.Add(new WarningRecord($"The node pauses: {paused.Message}"));
                break;
            case NodeStateChanged change:
                Verbose.Add(new VerboseRecord($"The node is {change.State}."));
                break;
        }
    }

    private void Fail(ErrorRecord error)
    {
        Error.Add(error);
        SetJobState(JobState.Failed);
    }
}
