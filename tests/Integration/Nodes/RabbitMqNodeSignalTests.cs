using System.Diagnostics;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>What operators and machines send to a node's process.</summary>
[Collection(nameof(NodeBroker))]
public sealed class RabbitMqNodeSignalTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : NodeTest(engine, shell, BrokerQueues.New(broker.Server.AmqpUri))
{
    private const int LongLease = 60;

    [Fact]
    public async Task Terminate_TaskRunsAndAnotherWaits_FirstIsCompleteAndTheOtherNotTaken()
    {
        await SendAsync(Json("a", "sleep 3; echo done > /out/x", """, "outputs": {"b:x": "/out/x"}"""), Json("b", "true"));
        await using var node = StartProcess(Address, LongLease);
        await UntilRunningAsync("a");
        await node.SignalAsync("TERM");
        Assert.Equal(0, await node.EndAsync());
        Assert.Equal("a Complete", node.Output.Trim());
        Assert.Contains("drains", node.Errors, StringComparison.Ordinal);
        Assert.Equal((TaskState.Complete, TaskState.Queued), ((await GetAsync("a")).State, (await GetAsync("b")).State));
        Assert.DoesNotContain(await EventsAsync("b"), item => item.Kind == QueueEventKind.TaskClaimed);
        Assert.Equal(NodeState.Left, Assert.Single(await Queue.GetNodesAsync(Token)).State);
    }

    [Fact]
    public async Task Terminate_Twice_TaskIsBackAtOnceUnchargedAndItsContainerGone()
    {
        Harness.Put("b", "in", "wait");
        await SendAsync(Json("a", "if [ $(cat /in) = wait ]; then sleep 600; fi; echo done > /out/x", """, "inputs": {"b:in": "/in"}, "outputs": {"b:x": "/out/x"}"""));
        await using var node = StartProcess(Address, LongLease);
        await UntilRunningAsync("a");
        Harness.Put("b", "in", "go");
        await node.SignalAsync("TERM");
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Single().State == NodeState.Draining, TimeSpan.FromSeconds(20));
        var since = Stopwatch.GetTimestamp();
        await node.SignalAsync("TERM");
        Assert.Equal(0, await node.EndAsync());
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(LongLease / 2));
        Assert.Equal(0, await Harness.CountContainersAsync());
        var task = await GetAsync("a");
        Assert.Equal((TaskState.Queued, 0, 0), (task.State, task.Attempts, task.Losses));
        Assert.Contains(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskReleased);

        await using var other = Start(options => options.MaxTasks = 1, OtherName);
        await other.EndAsync();
        AssertComplete(Assert.Single(other.Results));
    }

    // Hung for less than its lease a node keeps its tasks; for longer, another may have them. Whoever is first publishes, and only he.
    [Theory]
    [InlineData(0.5)]
    [InlineData(1.5)]
    [InlineData(3)]
    public async Task Stop_ForSoManyLeasesAndContinue_TaskIsPublishedOnce(double leases)
    {
        const int Lease = 4;
        Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(Lease) });
        await SendAsync(Json("a", "sleep 8; hostname > /out/x; echo end >> /out/x", """, "outputs": {"b:x": "/out/x"}"""));
        await using var hung = StartProcess(Address, Lease);
        await UntilRunningAsync("a");
        await using var other = Start(name: OtherName);
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Count == 2, TimeSpan.FromSeconds(20));
        await hung.SignalAsync("STOP");
        await Task.Delay(TimeSpan.FromSeconds(leases * Lease), Token);
        await hung.SignalAsync("CONT");

        var task = await UntilEndedAsync("a");
        await TestWait.UntilAsync(() => Queue.StopNodeAsync(Harness.NodeName, NodeStop.Drain, Token), TimeSpan.FromSeconds(30));
        Assert.Equal(0, await hung.EndAsync());
        other.Node.Drain();
        await other.EndAsync();

        Assert.Equal(TaskState.Complete, task.State);
        var events = await EventsAsync("a");
        TestContext.Current.TestOutputHelper?.WriteLine($"Stopped for {leases} leases: lost {task.Losses} times, run {events.Count(item => item.State == TaskState.Running)} times, ended by {(task.Node == OtherName ? "the other" : "the one that hung")}.");
        Assert.Single(events, item => item.Kind == QueueEventKind.TaskEnded);
        // The broker may take a process that does not answer for lost, but not in half a lease.
        Assert.InRange(task.Losses, leases > 2 ? 1 : 0, leases < 1 ? 0 : 1);
        Assert.EndsWith("\nend\n", Harness.Get("b", "x"), StringComparison.Ordinal);
        Assert.Contains("\"done\":true", Harness.Get("b", ".sisyphus/a/published.json").Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(["published.json"], Directory.EnumerateFiles(Harness.PathOf("b", ".sisyphus/a"), "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Empty(Harness.Runs());
    }
}
