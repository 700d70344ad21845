using System.Management.Automation;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Running;

/// <summary>A node in the background of the session. Its output are the results of the tasks; stopping it abandons.</summary>
internal sealed class NodeJob : Job
{
    private const int MaxRecords = 1000;
    private static readonly TimeSpan s_exitLimit = TimeSpan.FromSeconds(20);

    private readonly NodeHost _host;
    private readonly Task _run;
    private volatile bool _stopped;
    private volatile string _status = "";

    public NodeJob(string command, string name, NodeHost host)
        : base(command, name)
    {
        _host = host;
        PSJobTypeName = "SisyphusNode";
        SetJobState(JobState.Running);
        // A session that ends disposes of its own jobs only; no container may outlive the process.
        AppDomain.CurrentDomain.ProcessExit += StopAtExit;
        _run = Task.Run(RunAsync);
    }

    public override bool HasMoreData => Output.Count + Error.Count + Warning.Count + Verbose.Count + Progress.Count > 0;

    public override string Location => Environment.MachineName;

    /// <summary>The node's state and, where it has one, the reason.</summary>
    public override string StatusMessage => _status;

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

    private void StopAtExit(object? sender, EventArgs e)
    {
        _host.Node.Abandon();
        _run.Wait(s_exitLimit);
    }

    private async Task RunAsync()
    {
        ErrorRecord? failure = null;
        try
        {
            var running = _host.Node.RunAsync(CancellationToken.None);
            await foreach (var happened in _host.Node.Events.ReadAllAsync().ConfigureAwait(false))
                Add(happened);
            await running.ConfigureAwait(false);
        }
        catch (QueueException e)
        {
            failure = e.ToErrorRecord();
        }
        catch (Exception e)
        {
            failure = ErrorRecords.Unexpected(e, null);
        }
        await _host.DisposeAsync().ConfigureAwait(false);
        AppDomain.CurrentDomain.ProcessExit -= StopAtExit;
        if (failure is not null)
            Error.Add(failure);
        // Last: whoever waits for the job may take the queue's file away afterwards.
        SetJobState(failure is not null ? JobState.Failed : _stopped ? JobState.Stopped : JobState.Completed);
    }

    private void Add(NodeEvent happened)
    {
        switch (happened)
        {
            case NodeTaskEvent { Event: TaskFinished finished }:
                Output.Add(PSObject.AsPSObject(finished.Result));
                break;
            case NodeTaskEvent { Event: TaskWarned warning } task:
                AddLatest(Warning, new WarningRecord($"{task.Title}: {warning.Message}"));
                break;
            case NodeTaskEvent { Event: AttemptFailed { RetryAfter: { } pause } failed } task:
                AddLatest(Warning, new WarningRecord($"{task.Title}: attempt {failed.Attempt} failed ({failed.Reason.ToWord()}): {failed.Message} Next attempt in {pause.TotalSeconds:0.#} s."));
                break;
            case NodeTaskEvent { Event: TaskStateChanged change } task:
                AddLatest(Verbose, new VerboseRecord($"{task.Title}: {change.State}, attempt {change.Attempt}"));
                break;
            case NodeJoinedQueue joined:
                AddLatest(Verbose, new VerboseRecord(joined.ToString()));
                break;
            case NodeWarned warning:
                AddLatest(Warning, new WarningRecord(warning.Message));
                break;
            case NodeStateChanged { State: NodeState.Paused } paused:
                _status = $"Paused: {paused.Message}";
                AddLatest(Warning, new WarningRecord($"The node pauses: {paused.Message}"));
                break;
            case NodeStateChanged change:
                _status = change.State.ToString();
                AddLatest(Verbose, new VerboseRecord($"The node is {change.State}. {change.Message}".TrimEnd()));
                break;
        }
    }

    /// <summary>Nobody may ever receive them.</summary>
    private static void AddLatest<T>(PSDataCollection<T> records, T record)
    {
        if (records.Count >= MaxRecords)
            records.RemoveAt(0);
        records.Add(record);
    }
}
