using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Tasks, nodes that run them, and what has to be true of both in the end: every task that was confirmed has ended once, none twice, and nothing is left on the broker.</summary>
internal sealed class Workload(BrokerServer server, TimeSpan leaseTime, Uri? address = null, string settings = "heartbeat=1&connect_timeout=4s", string virtualHost = "/") : IAsyncDisposable
{
    private static readonly TaskDocument s_template = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"image": "tools:1", "commands": [{"command": ["true"]}]}"""))[0];

    private readonly ConcurrentBag<Execution> _executions = [];
    private readonly ConcurrentDictionary<string, bool> _confirmed = [];
    private readonly List<WorkNode> _nodes = [];
    private int _sent;
    private ITaskQueue? _queue;

    public string Prefix { get; } = "f-" + Guid.NewGuid().ToString("N")[..8];

    public TimeSpan LeaseTime => leaseTime;

    /// <summary>For those who are not behind a faulty network.</summary>
    public string Address => Hosts is null ? AddressOf(address ?? server.AmqpUri) : $"amqp://guest:guest@{Hosts}/?prefix={Prefix}&{settings}";

    /// <summary>Of a cluster, with their ports; in place of the one server.</summary>
    public string? Hosts { get; init; }

    public ITaskQueue Queue => _queue ??= TaskQueues.Open(Address, Options());

    public IReadOnlyList<WorkNode> Nodes => _nodes;

    public IReadOnlyCollection<Execution> Executions => _executions;

    /// <summary>Tasks that are confirmed.</summary>
    public IReadOnlyCollection<string> Tasks => [.. _confirmed.Keys];

    /// <summary>How long a task runs.</summary>
    public Func<string, TimeSpan> Hold { get; set; } = _ => TimeSpan.FromSeconds(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public string AddressOf(Uri uri) => $"{uri}?prefix={Prefix}&{settings}";

    public QueueOptions Options() => new() { LeaseTime = leaseTime };

    public TaskDocument NewTask() => s_template with { Id = string.Create(CultureInfo.InvariantCulture, $"t{Interlocked.Increment(ref _sent):0000}") };

    public async Task<WorkNode> JoinAsync(string name, int slots, Uri? through = null)
    {
        var node = await WorkNode.JoinAsync(through is null ? Address : AddressOf(through), name, Options(), slots, id => Hold(id), _executions.Add, Token);
        _nodes.Add(node);
        return node;
    }

    /// <summary>SIGKILL to the broker.</summary>
    public async Task KillBrokerAsync()
    {
        // 3.10.8 keeps the names of its Raft members in memory for seconds: killed so soon after its first stream, it never finds it again.
        await server.EvalAsync("lists:foreach(fun dets:sync/1, dets:all())");
        await server.KillAsync();
    }

    public async Task LeaveAsync(WorkNode node)
    {
        _nodes.Remove(node);
        await node.DisposeAsync();
    }

    public async Task KillAsync(WorkNode node)
    {
        _nodes.Remove(node);
        await node.KillAsync();
    }

    /// <summary>All of them confirmed, in a batch of their own each, so that a fault meets some of them.</summary>
    public async Task<IReadOnlyList<string>> SendAsync(int count)
    {
        var outcomes = await Queue.SendAsync([.. Enumerable.Range(0, count).Select(_ => NewTask())], Token);
        Assert.All(outcomes, outcome => Assert.True(outcome.Result == SendResult.Sent, outcome.Message));
        foreach (var outcome in outcomes)
            _confirmed.TryAdd(outcome.TaskId, true);
        return [.. outcomes.Select(outcome => outcome.TaskId)];
    }

    /// <summary>Of a sender whose patience is the test's.</summary>
    public void Confirm(IEnumerable<SendOutcome> outcomes)
    {
        foreach (var outcome in outcomes.Where(outcome => outcome.Result == SendResult.Sent))
            _confirmed.TryAdd(outcome.TaskId, true);
    }

    /// <summary>Waits until so many tasks have been started.</summary>
    public Task StartedAsync(int count, double seconds = 20) =>
        UntilAsync(() => _executions.Select(run => run.Task).Distinct().Count() >= count, seconds, () => $"{_executions.Count} of {count} were started.");

    /// <summary>A task that is sent now is claimed soon: nobody is connected and deaf.</summary>
    public async Task AssertHearsAsync(double seconds = 8)
    {
        SendOutcome outcome;
        var since = Stopwatch.GetTimestamp();
        // Who was sending when the broker went can't know what became of it, and sends again.
        while ((outcome = Assert.Single(await Queue.SendAsync([NewTask()], Token))).Result == SendResult.Unknown && Stopwatch.GetElapsedTime(since).TotalSeconds < seconds)
        {
        }
        Assert.True(outcome.Result == SendResult.Sent, outcome.Message);
        Confirm([outcome]);
        var id = outcome.TaskId;
        await UntilAsync(() => _executions.Any(run => run.Task == id), seconds, () => $"Nobody claims {id}. {Troubles()}");
    }

    /// <summary>Waits until every confirmed task has ended, and looks at how.</summary>
    /// <param name="losses">How often a node ended, or may have been cut off for longer than a lease, be it that the broker took its time to start: no more is charged to any task.</param>
    /// <returns>Executions beyond one of each task.</returns>
    public async Task<int> FinishAsync(double seconds = 40, int losses = 0)
    {
        await UntilAsync(() => _confirmed.Keys.Except(Counted()).Any() is false, seconds, () => $"Not ended: {string.Join(", ", _confirmed.Keys.Except(Counted()).Order().Select(Told))}. {Troubles()}");
        Assert.Equal(Counted().Distinct().Order(), Counted().Order());
        var known = await ReadAsync();
        Assert.All(_confirmed.Keys, id => Assert.Equal(TaskState.Complete, Assert.Single(known, task => task.Id == id).State));
        Assert.All(known, task => Assert.InRange(task.Losses, 0, losses));
        await AssertEmptyAsync();
        return _executions.Count(run => _confirmed.ContainsKey(run.Task)) - _confirmed.Count;
    }

    /// <summary>What is known of all tasks; from then on the queue follows the events.</summary>
    public async Task<IReadOnlyList<TaskSummary>> ReadAsync()
    {
        List<TaskSummary> known = [];
        await foreach (var task in Queue.GetTasksAsync(new TaskQuery(), Token))
            known.Add(task);
        return known;
    }

    /// <summary>No message is left in any queue; streams aside, and dead letters, of which there have to be none.</summary>
    public async Task AssertEmptyAsync(double seconds = 20)
    {
        IReadOnlyDictionary<string, int> left = new Dictionary<string, int>();
        await TestWaitAsync(async () => (left = await LeftAsync()).Count == 0, seconds, () => "Left: " + string.Join(", ", left.Select(queue => $"{queue.Key} {queue.Value}")));
    }

    /// <summary>A line for the table of faults: what happened, executions too many, tasks lost.</summary>
    public void Report(string fault, int duplicates) =>
        TestContext.Current.TestOutputHelper?.WriteLine($"| {fault} | {_nodes.Sum(node => node.Troubles)} calls failed, all was well again | {duplicates} of {_confirmed.Count} | 0 |");

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        if (_queue is not null)
            await _queue.DisposeAsync();
    }

    private IEnumerable<string> Counted() => _executions.Where(run => run.Counted == true).Select(run => run.Task);

    private string Told(string id) => $"{id} ({string.Join(", ", _executions.Where(run => run.Task == id).Select(run => $"{run.Node} {run.Counted?.ToString() ?? "was told nothing"}"))})";

    private string Troubles() => string.Join(" ", _nodes.Select(node => $"[{node.Session.Name}: {node.Troubles} {node.LastTrouble?.Message}]"));

    private async Task<IReadOnlyDictionary<string, int>> LeftAsync()
    {
        var lines = (await server.RunControlAsync("list_queues", "-p", virtualHost, "name", "messages", "type")).Split('\n').Select(line => line.Split('\t'));
        return lines.Where(cells => cells.Length == 3 && cells[0].StartsWith(Prefix, StringComparison.Ordinal) && cells[2] != "stream" && cells[1] != "0")
            .ToDictionary(cells => cells[0], cells => int.Parse(cells[1], CultureInfo.InvariantCulture));
    }

    public Task UntilAsync(Func<bool> condition, double seconds, Func<string> otherwise) => TestWaitAsync(() => Task.FromResult(condition()), seconds, otherwise);

    private async Task TestWaitAsync(Func<Task<bool>> condition, double seconds, Func<string> otherwise)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Token);
        late.CancelAfter(TimeSpan.FromSeconds(seconds));
        while (!await condition())
        {
            foreach (var node in _nodes)
            {
                if (node.Failed is { IsFaulted: true } failed)
                    await failed;
            }
            if (late.IsCancellationRequested)
                Assert.Fail(otherwise());
            await Task.Delay(50, CancellationToken.None);
        }
    }
}
