using Sisyphus.Engine.Queues;
using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.StoreEmulator.Faults;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>Nodes that die or sleep at an exact step of publishing to a service: another one finishes, and outputs are those of one execution.</summary>
public abstract class NodeStoreLossContract(EngineFixture engine, ShellImageFixture shell) : NodeStoreTest(engine, shell)
{
    [Theory]
    [InlineData(StoreStep.StageChunk, 1, 2)]
    [InlineData(StoreStep.Promote, 0, 1)]
    [InlineData(StoreStep.Promote, 1, 1)]
    [InlineData(StoreStep.MarkDone, 0, 1)]
    public async Task Kill_AtAStepOfPublishing_AnotherFinishes(StoreStep step, int after, int executions)
    {
        var ids = await SendAsync(1);
        // Everything from there on: what was asked for at the same time has not come further.
        var held = Store.Inject(step, FaultKind.Held, times: 100, skip: after);
        await using var killed = StartNode(Harness.NodeName);
        await UntilAsync(held.Struck);
        await UntilAsync(() => CountFinals(ids[0]) == (step switch { StoreStep.Promote => after, StoreStep.MarkDone => 3, _ => 0 }));
        Assert.Equal(step != StoreStep.StageChunk, IsThere(DecisionOf(ids[0])));
        await killed.KillAsync();
        held.Release();

        await using var other = StartNode(OtherName);
        await UntilEndedAsync(ids[0]);
        await DrainAsync(other, OtherName);
        await RestartAsync(Harness.NodeName);
        await AssertPublishedAsync(ids, executions);
        Assert.Equal(1, (await GetAsync(ids[0])).Losses);
    }

    public enum Order
    {
        SleeperFirst,
        SuccessorFirst,
        Together,
    }

    [Theory]
    [InlineData(Order.SleeperFirst)]
    [InlineData(Order.SuccessorFirst)]
    [InlineData(Order.Together)]
    public async Task Decide_TwoAttemptsAtOnce_OneIsPublishedAndTheOtherThrownAway(Order order)
    {
        var ids = await SendAsync(1, ShortLease);
        var (first, second) = (Store.Inject(StoreStep.Decide, FaultKind.Held), Store.Inject(StoreStep.Decide, FaultKind.Held));
        await using var sleeper = StartNode(Harness.NodeName, ShortLease);
        await UntilAsync(first.Struck);
        await StopAsync(sleeper);
        await using var successor = StartNode(OtherName, ShortLease);
        await UntilAsync(second.Struck);

        // Both have staged everything, and ask to decide.
        var words = Store.Contents(ServiceStore.Out).Where(one => one.Key.Contains("/outputs/", StringComparison.Ordinal)).Select(one => one.Key.Split('/')[2]).Distinct().ToArray();
        Assert.Equal(2, words.Length);
        await sleeper.SignalAsync("CONT");
        (order == Order.SuccessorFirst ? second : first).Release();
        if (order != Order.Together)
            await UntilAsync(() => IsThere(DecisionOf(ids[0])));
        first.Release();
        second.Release();

        await UntilEndedAsync(ids[0]);
        await UntilAsync(() => Store.Contents(ServiceStore.Out).Keys.All(key => !key.Contains("/outputs/", StringComparison.Ordinal)));
        await DrainAsync(successor, OtherName);
        await DrainAsync(sleeper, Harness.NodeName);
        await AssertPublishedAsync(ids, executions: 2);
        var winner = ReadDecision(ids[0]).GetProperty("record").GetProperty("node").GetString();
        if (order != Order.Together)
            Assert.Equal(order == Order.SleeperFirst ? Harness.NodeName : OtherName, winner);
    }

    [Fact]
    public async Task Fetch_StoreHoldsAnInputForLongerThanTheLease_RunsOnce()
    {
        var ids = await SendAsync(2, ShortLease);
        var held = Store.Inject(StoreStep.Fetch, FaultKind.Held, times: 100);
        await using var one = StartNode(Harness.NodeName, ShortLease);
        await using var two = StartNode(OtherName, ShortLease);
        await UntilAsync(() => held.Strokes >= 2);
        // Nothing tells that a lease has not run out but the time.
        await Task.Delay(TimeSpan.FromSeconds(ShortLease + 1), Token);
        held.Release();
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        await DrainAsync(one, Harness.NodeName);
        await DrainAsync(two, OtherName);
        await AssertPublishedAsync(ids, executions: 1);
        Assert.All(ids, id => Assert.DoesNotContain(EventsAsync(id).Result, item => item.Kind == QueueEventKind.TaskLost));
    }

    private int CountFinals(string id) => Store.Contents(ServiceStore.Out).Keys.Count(key => key.StartsWith(Final(id, ""), StringComparison.Ordinal));
}
