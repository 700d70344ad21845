using Sisyphus.Engine.Queues;
using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.StoreEmulator.Faults;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>A service that fails while nodes publish: what was computed is kept, and nothing runs a second time.</summary>
public abstract class NodeStoreTroubleContract(EngineFixture engine, ShellImageFixture shell) : NodeStoreTest(engine, shell)
{
    [Theory]
    [InlineData(FaultKind.Unavailable, StoreStep.Stage, 10)]
    [InlineData(FaultKind.TooManyRequests, StoreStep.Stage, 6)]
    [InlineData(FaultKind.ResetBeforeHeaders, StoreStep.Stage, 6)]
    [InlineData(FaultKind.ExpiredToken, StoreStep.Stage, 3)]
    [InlineData(FaultKind.Forbidden, StoreStep.Promote, 3)]
    public async Task Publish_ServiceFailsForAWhile_RunsOnceAndPublishesAfterwards(FaultKind kind, StoreStep since, int seconds)
    {
        var ids = await SendAsync(2);
        var held = Store.Inject(since, FaultKind.Held, times: 100);
        await using var one = StartNode(Harness.NodeName);
        await using var two = StartNode(OtherName);
        // Both tasks have run, or are about to publish.
        await UntilAsync(() => held.Strokes >= 2 && ids.All(id => Ledger.Count(id) == 1));
        var trouble = Store.Inject(StoreStep.Any, kind, int.MaxValue, lasts: TimeSpan.FromSeconds(seconds), retryAfter: kind == FaultKind.TooManyRequests ? 2 : null);
        held.Release();
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        Assert.True(trouble.Strokes > 0);
        await DrainAsync(one, Harness.NodeName);
        await DrainAsync(two, OtherName);
        await AssertPublishedAsync(ids, executions: 1);
        foreach (var id in ids)
            Assert.Equal((0, 1), ((await GetAsync(id)).Losses, (await GetAsync(id)).Attempts));
    }

    [Fact]
    public async Task Decide_AnswerIsLost_IsItsOwnAndRunsOnce()
    {
        var ids = await SendAsync(2);
        var lost = Store.Inject(StoreStep.Decide, FaultKind.AnswerLost, times: 2);
        await using var one = StartNode(Harness.NodeName);
        await using var two = StartNode(OtherName);
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        Assert.Equal(2, lost.Strokes);
        await DrainAsync(one, Harness.NodeName);
        await DrainAsync(two, OtherName);
        await AssertPublishedAsync(ids, executions: 1);
        Assert.All(ids, id => Assert.DoesNotContain(EventsAsync(id).Result, item => item.Kind == QueueEventKind.TaskWarned));
    }
}
