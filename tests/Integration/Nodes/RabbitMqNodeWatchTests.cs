using System.Diagnostics;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.Integration.Nodes.Stores;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>What others see of a node's tasks, and do to them, over a broker.</summary>
[Collection(nameof(NodeBroker))]
public sealed class RabbitMqNodeWatchTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : NodeTest(engine, shell, BrokerQueues.New(broker.Server.AmqpUri))
{
    private const int LongLease = 60;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);
    private readonly EngineFixture _fixture = engine;

    [Fact]
    public async Task CancelAsync_ContainersOfAnotherProcessRun_AreGoneWithinTwoSeconds()
    {
        string[] ids = ["a", "b", "c", "d", "e"];
        await SendAsync([.. ids.Select(id => Json(id, "trap 'exit 1' TERM; while true; do sleep 0.1; done"))]);
        await using var node = StartProcess(Address, LongLease, concurrency: ids.Length);
        foreach (var id in ids)
            await UntilRunningAsync(id);
        List<TimeSpan> taken = [];
        foreach (var id in ids)
        {
            var since = Stopwatch.GetTimestamp();
            Assert.Equal(CancelResult.Requested, Assert.Single(await Queue.CancelAsync([id], Token)).Result);
            await TestWait.UntilAsync(async () => (await ContainersAsync(id)).Count == 0, TimeSpan.FromSeconds(30));
            taken.Add(Stopwatch.GetElapsedTime(since));
            Assert.Equal(TaskState.Canceled, (await UntilEndedAsync(id)).State);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"Gone after {string.Join(", ", taken.Select(time => $"{time.TotalMilliseconds:0} ms"))}.");
        Assert.InRange(taken.Max(), TimeSpan.Zero, s_limit);
        await node.SignalAsync("TERM");
        Assert.Equal(0, await node.EndAsync());
    }

    [Fact]
    public async Task CancelAsync_InTheInstantBeforeTheStart_NothingStarts()
    {
        var id = Guid.NewGuid().ToString("N");
        await using var ledger = new ExecutionLedger(Client);
        await SendAsync(Json(id, "echo ran > /out/x", """, "outputs": {"b:x": "/out/x"}"""));
        await using var node = Start(options => options.MaxTasks = 1, engine: new EngineBeforeStart(Engine, async () => Assert.Equal(CancelResult.Requested, Assert.Single(await Queue.CancelAsync([id], Token)).Result)));
        Assert.Equal(TaskState.Canceled, (await UntilEndedAsync(id)).State);
        await node.EndAsync();
        Assert.Equal(0, ledger.Count(id));
        Assert.Empty(Directory.Exists(Harness.PathOf("b", "")) ? Directory.EnumerateFiles(Harness.PathOf("b", ""), "*", SearchOption.AllDirectories) : []);
    }

    [Fact]
    public async Task ReadEventsAsync_WatcherThatComesLate_SeesWhatALiveOneSaw()
    {
        string[] ids = ["done", "again", "canceled", "waiting"];
        List<QueueEvent> live = [];
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var watching = WatchAsync(live, enough.Token);
        await SendAsync(
            Json("done", "true"), Json("again", "exit 7", """, "retries": 1, "retryExitCodes": [7]"""), Json("canceled", "trap 'exit 1' TERM; while true; do sleep 0.1; done"));
        await using var first = Start(options => options.Tasks.Concurrency = 3);
        await UntilRunningAsync("canceled");
        await Queue.CancelAsync(["canceled"], Token);
        foreach (var id in ids[..3])
            await UntilEndedAsync(id);
        first.Node.Drain();
        await first.EndAsync();
        await SendAsync(Json("waiting", "true"));

        await using var late = TaskQueues.Open(Address);
        List<QueueEvent> all = [];
        await foreach (var item in late.ReadEventsAsync(new EventQuery(), Token))
            all.Add(item);
        await TestWait.UntilAsync(() => Task.FromResult(Count(live) >= all.Count), TimeSpan.FromSeconds(20));
        await enough.CancelAsync();
        await watching;
        Assert.Equal(live, all);
        // A node with nothing to do may have left before it had told that it drains.
        Assert.Equal([NodeEnd(QueueEventKind.NodeJoined), NodeEnd(QueueEventKind.NodeLeft)], all.Where(item => item.TaskId is null && item.Kind != QueueEventKind.NodeDraining).Select(item => (item.Kind, item.Node)));

        // The states too, and a wait that begins when all is over.
        foreach (var (id, state) in ids.Zip([TaskState.Complete, TaskState.ExecutorError, TaskState.Canceled, TaskState.Queued]))
            Assert.Equal(state, (await FindAsync(late, id)).State);
        var wait = new TaskWait(late, ids[..3]);
        List<string> ended = [];
        await foreach (var task in wait.StepsAsync(Token, Token))
            ended.Add(task!.Id);
        Assert.Equal(ids[..3], ended);
        Assert.Empty(wait.Pending);

        (QueueEventKind, string?) NodeEnd(QueueEventKind kind) => (kind, Harness.NodeName);
    }

    private static int Count(List<QueueEvent> events)
    {
        lock (events)
            return events.Count;
    }

    private static async Task<TaskSummary> FindAsync(ITaskQueue queue, string id)
    {
        await foreach (var task in queue.GetTasksAsync(new TaskQuery { Ids = [id] }, Token))
            return task;
        throw new InvalidOperationException($"The queue does not know {id}.");
    }

    private async Task WatchAsync(List<QueueEvent> events, CancellationToken enough)
    {
        try
        {
            await foreach (var item in Queue.ReadEventsAsync(new EventQuery { Follow = true }, enough))
            {
                lock (events)
                    events.Add(item);
            }
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested)
        {
            // Seen enough.
        }
    }

    private Task<IList<Docker.DotNet.Models.ContainerListResponse>> ContainersAsync(string id) =>
        _fixture.ContainersAsync(new Dictionary<string, string> { ["sisyphus.node"] = Harness.NodeName, ["sisyphus.task"] = id });
}
