using System.Net;
using System.Net.Sockets;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

public sealed class NodeStopTests(EngineFixture engine, ShellImageFixture shell) : NodeTest(engine, shell)
{
    private const string Forever = "trap '' TERM; while true; do sleep 1; done";

    [Fact]
    public async Task RunAsync_TaskCanceledWhileQueued_NeverStarts()
    {
        await SendAsync(Json("a", Forever), Json("b", "true"));
        Assert.Equal(CancelResult.Canceled, Assert.Single(await Queue.CancelAsync(["a"], Token)).Result);
        await using var node = Start(options => options.IdleTimeout = TimeSpan.Zero);
        await node.EndAsync();
        Assert.Equal(TaskState.Canceled, (await GetAsync("a")).State);
        Assert.Equal("b", Assert.Single(node.Results).Id);
    }

    [Fact]
    public async Task RunAsync_TaskCanceledWhileRunning_IsStoppedAndSettledAsCanceled()
    {
        await SendAsync(Json("a", Forever, """, "outputs": {"b:x": "/out/x"}"""));
        await using var node = Start();
        await UntilRunningAsync("a");
        Assert.Equal(CancelResult.Requested, Assert.Single(await Queue.CancelAsync(["a"], Token)).Result);
        var task = await UntilEndedAsync("a");
        Assert.Equal((TaskState.Canceled, FailureReason.Canceled), (task.State, task.Reason));
        await node.UntilAsync(running => running.Results.Count == 1);
        Assert.Equal(TaskState.Canceled, node.Results[0].State);
        Assert.Empty(Harness.Keys("b"));
        Assert.Empty(await Queue.GetDeadLettersAsync([], Token).ToListAsync(Token));

        // Its slot is good for the next.
        await SendAsync(Json("c", "true"));
        Assert.Equal(TaskState.Complete, (await UntilEndedAsync("c")).State);
        node.Node.Drain();
        await node.EndAsync();
    }

    [Fact]
    public async Task RunAsync_TaskCanceledWhileItsImageIsPulled_IsSettledAsCanceled()
    {
        // Accepts, and never answers.
        using var registry = new TcpListener(IPAddress.Loopback, 0);
        registry.Start();
        await SendAsync(Json("a", "true").Replace(Image, $"{registry.LocalEndpoint}/silent:1", StringComparison.Ordinal));
        await using var node = Start(options => options.MaxTasks = 1);
        await UntilAsync("a", item => item.State == TaskState.Initializing);
        await Queue.CancelAsync(["a"], Token);
        Assert.Equal(TaskState.Canceled, (await UntilEndedAsync("a")).State);
        await node.EndAsync();
    }

    [Fact]
    public async Task RunAsync_TaskCanceledWhileItsOutputsAreStaged_IsWhollyPublishedOrNotAtAll()
    {
        await SendAsync(Json("a", "dd if=/dev/zero of=/out/x bs=1M count=256", """, "outputs": {"b:x": "/out/x"}"""));
        await using var node = Start(options => options.MaxTasks = 1);
        await TestWait.UntilAsync(() => Task.FromResult(Directory.Exists(Harness.PathOf("b", ".sisyphus/a"))), TimeSpan.FromSeconds(60));
        await Queue.CancelAsync(["a"], Token);
        var task = await UntilEndedAsync("a");
        await node.EndAsync();

        // Which of the two was first is the machine's business; that they agree is ours.
        Assert.Contains(task.State, new[] { TaskState.Canceled, TaskState.Complete });
        Assert.Equal(task.State == TaskState.Complete, Harness.Exists("b", "x"));
        Assert.Equal(
            task.State == TaskState.Complete ? ["published.json"] : [],
            Directory.EnumerateFiles(Harness.PathOf("b", ""), "*", SearchOption.AllDirectories).Select(Path.GetFileName).Where(name => name != "x"));
    }

    [Fact]
    public async Task RunAsync_TaskCanceledAfterItsPublicationWasDecided_IsComplete()
    {
        const string output = """, "outputs": {"b:x": "/out/x"}""";
        await SendAsync(Json("a", Forever, output));
        await using var node = Start();
        await UntilRunningAsync("a");
        // As a node that was cut off from the queue does: it publishes what another one is told to run again.
        AssertComplete(await Harness.RunAsync(Json("a", "echo decided > /out/x", output)));
        await Queue.CancelAsync(["a"], Token);
        Assert.Equal(TaskState.Complete, (await UntilEndedAsync("a")).State);
        Assert.Equal("decided\n", Harness.Get("b", "x"));
        node.Node.Drain();
        await node.EndAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Drain_TasksRunningAndQueued_FinishesTheFirstAndLeavesTheSecond(bool overTheQueue)
    {
        await SendAsync(Json("a", "sleep 2"), Json("b", "true"));
        await using var node = Start();
        await UntilRunningAsync("a");
        if (overTheQueue)
            Assert.True(await Queue.StopNodeAsync(Harness.NodeName, NodeStop.Drain, Token));
        else
            node.Node.Drain();
        await node.UntilAsync(running => running.States.Any(state => state.State == NodeState.Draining));
        await node.EndAsync();
        Assert.Equal(TaskState.Complete, Assert.Single(node.Results).State);
        Assert.Equal((TaskState.Queued, 0), ((await GetAsync("b")).State, (await GetAsync("b")).Losses));
        Assert.DoesNotContain(await EventsAsync("b"), item => item.Kind == QueueEventKind.TaskClaimed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Abandon_TaskRuns_IsBackAtOnceUnchargedAndAnotherNodeCompletesIt(bool overTheQueue)
    {
        // Stands still on the first node, and not on the second.
        Harness.Put("b", "in", "wait");
        await SendAsync(Json("a", "if [ $(cat /in) = wait ]; then sleep 600; fi; echo done > /out/x", """, "inputs": {"b:in": "/in"}, "outputs": {"b:x": "/out/x"}"""));
        await using var first = Start();
        await UntilRunningAsync("a");
        Harness.Put("b", "in", "go");
        if (overTheQueue)
            Assert.True(await Queue.StopNodeAsync(Harness.NodeName, NodeStop.Abandon, Token));
        else
            first.Node.Abandon();
        await first.EndAsync();

        Assert.Equal(0, await Harness.CountContainersAsync());
        var task = await GetAsync("a");
        Assert.Equal((TaskState.Queued, 0, 0), (task.State, task.Attempts, task.Losses));
        Assert.Empty(first.Results);
        Assert.Contains(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskReleased);

        await using var second = Start(options => options.IdleTimeout = TimeSpan.Zero, OtherName);
        await second.EndAsync();
        AssertComplete(Assert.Single(second.Results));
        Assert.Equal("done\n", Harness.Get("b", "x"));
    }

    [Fact]
    public async Task DisposeAsync_TaskRuns_ContainerIsGoneAndTaskBack()
    {
        await SendAsync(Json("a", Forever));
        var node = Start();
        await UntilRunningAsync("a");
        await node.DisposeAsync();
        Assert.Equal(0, await Harness.CountContainersAsync());
        Assert.Equal(TaskState.Queued, (await GetAsync("a")).State);
        node.Node.Drain();
    }

    [Fact]
    public async Task RunAsync_LivingNodeOfTheNameInThisProcess_IsRefused()
    {
        await using var first = Start();
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Count == 1, TimeSpan.FromSeconds(30));
        await using var second = Start();
        var refused = await Assert.ThrowsAsync<QueueException>(second.EndAsync);
        Assert.Equal(QueueFailure.NodeNameTaken, refused.Failure);
    }
}
