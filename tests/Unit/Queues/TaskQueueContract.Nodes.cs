using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    private async Task<NodeInfo> NodeAsync(string name) => Assert.Single(await Queue.GetNodesAsync(Token), node => node.Name == name);

    private static NodeStatus Status(NodeState state, string message = "") => new(state, state == NodeState.Busy ? ["a", "b"] : [], 2.5, 1 << 30, 0.5, 7, message);

    [Fact]
    public async Task Join_Node_IsInTheRegistry()
    {
        await JoinAsync("n1");
        var node = await NodeAsync("n1");
        Assert.Equal((NodeState.Idle, 4, 8.0, 16L << 30, "Tests 1", Environment.ProcessId, Environment.MachineName), (node.State, node.Concurrency, node.Cpus, node.Memory, node.Software, node.ProcessId, node.Machine));
        Assert.Contains(await EventsAsync(), item => item is { Kind: QueueEventKind.NodeJoined, Node: "n1", TaskId: null });
    }

    [Fact]
    public async Task Join_NameOfALivingNode_IsRefused()
    {
        await SendAsync(Doc("a"));
        var first = await JoinAsync("n1");
        var delivery = await ClaimAsync(first);
        var other = await QueueAsync();
        var error = await Assert.ThrowsAsync<QueueException>(() => JoinAsync("n1", other));
        Assert.Equal(QueueFailure.NodeNameTaken, error.Failure);
        Assert.Contains("n1", error.Message, StringComparison.Ordinal);
        Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
    }

    [Fact]
    public async Task Join_NameOfANodeThatLeft_IsFree()
    {
        await (await JoinAsync("n1")).DisposeAsync();
        Assert.Equal(NodeState.Left, (await NodeAsync("n1")).State);
        await JoinAsync("n1", await QueueAsync());
        Assert.Equal(NodeState.Idle, (await NodeAsync("n1")).State);
    }

    [Theory, InlineData(""), InlineData(".."), InlineData("a/b"), InlineData("a b"), InlineData("ä")]
    public async Task Join_BadName_IsRefusedWithWhatIsAllowed(string name)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => JoinAsync(name));
        Assert.Contains("1 to 128", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Heartbeat_Status_IsWhatOthersSee()
    {
        var session = await JoinAsync("n1");
        await session.HeartbeatAsync(Status(NodeState.Busy), Token);
        var node = await NodeAsync("n1");
        Assert.Equal((NodeState.Busy, 2, 2.5, 1L << 30, 0.5, 7L), (node.State, node.Running, node.CpusInUse, node.MemoryInUse, node.Load, node.Finished));
        Assert.Equal(["a", "b"], node.Tasks);
    }

    [Fact]
    public async Task Heartbeat_PausedThenBusyThenDraining_IsToldAsEvents()
    {
        var session = await JoinAsync("n1");
        await session.HeartbeatAsync(Status(NodeState.Paused, "no space left"), Token);
        Assert.Equal("no space left", (await NodeAsync("n1")).Message);
        await session.HeartbeatAsync(Status(NodeState.Paused, "no space left"), Token);
        await session.HeartbeatAsync(Status(NodeState.Busy), Token);
        await session.HeartbeatAsync(Status(NodeState.Draining), Token);
        await session.DisposeAsync();
        Assert.Equal(
            [QueueEventKind.NodeJoined, QueueEventKind.NodePaused, QueueEventKind.NodeContinued, QueueEventKind.NodeDraining, QueueEventKind.NodeLeft],
            (await EventsAsync()).Select(item => item.Kind));
    }

    [Fact]
    public async Task Node_SilentForThreeHeartbeats_CountsAsLostUntilItIsHeardOf()
    {
        var session = await JoinAsync("n1", heartbeatSeconds: 0.4);
        await EventuallyAsync(() => NodeAsync("n1"), node => node.State == NodeState.Lost);
        Assert.Contains(QueueEventKind.NodeLost, (await EventsAsync()).Select(item => item.Kind));
        await session.HeartbeatAsync(Status(NodeState.Idle), Token);
        Assert.Equal(NodeState.Idle, (await NodeAsync("n1")).State);
        Assert.Contains(QueueEventKind.NodeContinued, (await EventsAsync()).Select(item => item.Kind));
    }

    [Fact]
    public async Task Node_Killed_IsLost()
    {
        await KillAsync(await JoinAsync("n1", heartbeatSeconds: 1));
        await EventuallyAsync(() => NodeAsync("n1"), node => node.State == NodeState.Lost);
        Assert.Equal(0, (await Queue.GetInfoAsync(Token)).Nodes);
    }

    [Theory, InlineData(NodeStop.Drain), InlineData(NodeStop.Abandon)]
    public async Task StopNode_LivingNode_IsTold(NodeStop how)
    {
        var session = await JoinAsync("n1");
        var telling = FirstAsync(session.ReadSignalsAsync(Token), _ => true);
        Assert.True(await (await QueueAsync()).StopNodeAsync("n1", how, Token));
        Assert.Equal(new StopSignal(how), await telling);
    }

    [Fact]
    public async Task StopNode_BeforeItReads_IsToldOnce()
    {
        var session = await JoinAsync("n1");
        Assert.True(await Queue.StopNodeAsync("n1", NodeStop.Drain, Token));
        Assert.Equal(new StopSignal(NodeStop.Drain), await FirstAsync(session.ReadSignalsAsync(Token), _ => true));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(AWhile);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var signal in session.ReadSignalsAsync(limit.Token))
                Assert.Fail($"{signal} came again.");
        });
    }

    [Fact]
    public async Task StopNode_UnknownOrGone_IsFalse()
    {
        await (await JoinAsync("left")).DisposeAsync();
        var killed = await JoinAsync("killed", heartbeatSeconds: 1);
        await KillAsync(killed);
        await EventuallyAsync(() => NodeAsync("killed"), node => node.State == NodeState.Lost);
        Assert.False(await Queue.StopNodeAsync("unknown", NodeStop.Drain, Token));
        Assert.False(await Queue.StopNodeAsync("left", NodeStop.Drain, Token));
        Assert.False(await Queue.StopNodeAsync("killed", NodeStop.Drain, Token));
    }

    [Fact]
    public async Task StopNode_OfAnEarlierSession_DoesNotReachTheNext()
    {
        var first = await JoinAsync("n1");
        await Queue.StopNodeAsync("n1", NodeStop.Drain, Token);
        await first.DisposeAsync();
        var second = await JoinAsync("n1");
        await Queue.StopNodeAsync("n1", NodeStop.Abandon, Token);
        Assert.Equal(new StopSignal(NodeStop.Abandon), await FirstAsync(second.ReadSignalsAsync(Token), _ => true));
    }

    [Fact]
    public async Task ReadSignals_SessionIsDisposed_Ends()
    {
        var session = await JoinAsync("n1");
        var reading = ListAsync(session.ReadSignalsAsync(Token));
        await session.DisposeAsync();
        Assert.Empty(await reading.WaitAsync(Patience, Token));
    }
}
