using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.StoreEmulator.Faults;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>Two living attempts of a task that publishes without staging: a node sleeps past its lease, and wakes when another has taken the task.</summary>
public abstract class NodeStoreDirectContract(EngineFixture engine, ShellImageFixture shell) : NodeStoreTest(engine, shell)
{
    private const int ChunksOfTheLarge = 2;

    [Fact]
    public async Task Decide_SleeperIsLate_SendsNothing()
    {
        var ids = await SendAsync(1, ShortLease, "direct");
        var held = Store.Inject(StoreStep.Decide, FaultKind.Held);
        await using var sleeper = StartNode(Harness.NodeName, ShortLease);
        await UntilAsync(held.Struck);
        await StopAsync(sleeper);
        await using var successor = StartNode(OtherName, ShortLease);
        await UntilEndedAsync(ids[0]);
        await sleeper.SignalAsync("CONT");
        held.Release();
        await DrainAsync(sleeper, Harness.NodeName);
        await DrainAsync(successor, OtherName);
        await AssertPublishedAsync(ids, executions: 2);
        Assert.Equal((ServiceStore.SmallOutputs, ChunksOfTheLarge), (Store.Count(StoreStep.Send), Store.Count(StoreStep.StageChunk)));
        Assert.Equal(OtherName, NodeOf(ids[0]));
    }

    [Fact]
    public async Task Send_SleeperIsReplacedInTheMiddle_OnlyWhatWasOnItsWayArrives()
    {
        var ids = await SendAsync(1, ShortLease, "direct");
        var held = Store.Inject(StoreStep.Send, FaultKind.Held, skip: 1);
        await using var sleeper = StartNode(Harness.NodeName, ShortLease);
        await UntilAsync(held.Struck);
        await UntilAsync(() => Store.Contents(ServiceStore.Out).Keys.Count(key => key.StartsWith(Final(ids[0], ""), StringComparison.Ordinal)) == 2);
        await StopAsync(sleeper);
        await using var successor = StartNode(OtherName, ShortLease);
        await UntilEndedAsync(ids[0]);
        await AssertPublishedAsync(ids, executions: 2);

        // The service has had the request all the while.
        var before = Words(ids[0]);
        held.Release();
        await UntilAsync(() => !Words(ids[0]).SequenceEqual(before));
        await sleeper.SignalAsync("CONT");
        await DrainAsync(sleeper, Harness.NodeName);
        await DrainAsync(successor, OtherName);
        Assert.Equal(OtherName, NodeOf(ids[0]));
        Assert.True(ReadDecision(ids[0]).GetProperty("done").GetBoolean());
        Assert.Single(Words(ids[0]), word => word != before[0]);
        Assert.Equal((2 * ServiceStore.SmallOutputs, 2 * ChunksOfTheLarge), (Store.Count(StoreStep.Send), Store.Count(StoreStep.StageChunk)));
        // A reader who compares with the decision, as the documentation asks, knows.
        Assert.Single(Damaged(ids[0]));
    }

    [Fact]
    public async Task Send_CanceledInTheMiddle_IsComplete()
    {
        var ids = await SendAsync(1, ShortLease, "direct");
        var held = Store.Inject(StoreStep.Send, FaultKind.Held, skip: 1);
        await using var node = StartNode(Harness.NodeName, ShortLease);
        await UntilAsync(held.Struck);
        await Queue.CancelAsync(ids, Token);
        // Nothing tells from outside that the node has heard of it but the time: it renews more than once meanwhile.
        await Task.Delay(TimeSpan.FromSeconds(ShortLease), Token);
        held.Release();
        await UntilEndedAsync(ids[0]);
        await DrainAsync(node, Harness.NodeName);
        await AssertPublishedAsync(ids, executions: 1);
    }

    [Fact]
    public async Task Send_NodeIsKilledInTheMiddle_TheNextAttemptTakesItsPlace()
    {
        var ids = await SendAsync(1, publish: "direct");
        var held = Store.Inject(StoreStep.Send, FaultKind.Held, skip: 1);
        await using var killed = StartNode(Harness.NodeName);
        await UntilAsync(held.Struck);
        await killed.KillAsync();
        await using var other = StartNode(OtherName);
        await UntilEndedAsync(ids[0]);
        held.Release();
        await DrainAsync(other, OtherName);
        await RestartAsync(Harness.NodeName);
        await AssertPublishedAsync(ids, executions: 2);
        Assert.Equal(OtherName, NodeOf(ids[0]));
    }

    private string NodeOf(string id) => ReadDecision(id).GetProperty("record").GetProperty("node").GetString()!;

    private string[] Words(string id) => [.. ((string[])["a", "b", "c"]).Select(name => WordOf(id, name))];
}
