using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.StoreEmulator.Faults;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>Nodes between a broker and a service, of which only the latter fails, or that die between two of its answers.</summary>
[Collection(nameof(NodeBroker))]
public sealed class RabbitMqNodeStoreTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : NodeStoreTest(engine, shell, BrokerQueues.New(broker.Server.AmqpUri))
{
    private protected override Task<ServiceStore> StartStoreAsync() => GoogleService.StartAsync();

    [Fact]
    public async Task Cut_StoreAloneForTwoLeases_RunsOnceAndPublishesAfterwards()
    {
        var ids = await SendAsync(2, ShortLease);
        var held = Store.Inject(StoreStep.Stage, FaultKind.Held, times: 100);
        await using var one = StartNode(Harness.NodeName, ShortLease);
        await using var two = StartNode(OtherName, ShortLease);
        await UntilAsync(() => held.Strokes >= 2 && ids.All(id => Ledger.Count(id) == 1));
        var cut = Store.Inject(StoreStep.Any, FaultKind.ResetBeforeHeaders, int.MaxValue, lasts: TimeSpan.FromSeconds(2 * ShortLease));
        held.Release();
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        Assert.True(cut.Strokes > 0);
        await DrainAsync(one, Harness.NodeName);
        await DrainAsync(two, OtherName);
        await AssertPublishedAsync(ids, executions: 1);
        foreach (var id in ids)
            Assert.Equal((0, 1), ((await GetAsync(id)).Losses, (await GetAsync(id)).Attempts));
    }

    [Fact]
    public async Task Kill_BetweenTheFirstPromotionAndTheSecond_AnotherFinishesWithoutARun()
    {
        var ids = await SendAsync(1, ShortLease);
        var held = Store.Inject(StoreStep.Promote, FaultKind.Held, times: 100, skip: 1);
        await using var killed = StartNode(Harness.NodeName, ShortLease);
        await UntilAsync(held.Struck);
        await UntilAsync(() => Store.Contents(ServiceStore.Out).Keys.Count(key => key.StartsWith(Final(ids[0], ""), StringComparison.Ordinal)) == 1);
        Assert.True(IsThere(DecisionOf(ids[0])));
        await killed.KillAsync();
        held.Release();

        await using var other = StartNode(OtherName, ShortLease);
        await UntilEndedAsync(ids[0]);
        await DrainAsync(other, OtherName);
        await RestartAsync(Harness.NodeName);
        await AssertPublishedAsync(ids, executions: 1);
        Assert.Equal(1, (await GetAsync(ids[0])).Losses);
    }

    [Fact]
    public async Task Cancel_WhileTheStoreIsAskedToDecide_IsWhollyPublishedOrNotAtAll()
    {
        var ids = await SendAsync(1, ShortLease);
        var held = Store.Inject(StoreStep.Decide, FaultKind.Held);
        await using var node = StartNode(Harness.NodeName, ShortLease);
        await UntilAsync(held.Struck);
        Assert.Equal(CancelResult.Requested, Assert.Single(await Queue.CancelAsync(ids, Token)).Result);
        held.Release();
        var task = await UntilEndedAsync(ids[0]);
        await DrainAsync(node, Harness.NodeName);

        // Which of the two was first is the machine's business; that they agree is ours.
        Assert.Single(await EventsAsync(ids[0]), item => item.Kind == QueueEventKind.TaskEnded);
        Assert.Equal(1, Ledger.Count(ids[0]));
        if (task.State == TaskState.Complete)
            await AssertPublishedAsync(ids, executions: 1);
        else
            Assert.Equal((TaskState.Canceled, 0), (task.State, Store.Contents(ServiceStore.Out).Count));
    }
}
