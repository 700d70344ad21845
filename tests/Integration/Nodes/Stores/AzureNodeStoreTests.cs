using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.Stores.Azure;
using Sisyphus.Tests.StoreEmulator.Faults;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>Whole tasks over Azure Blob Storage; of what happens between its requests the contracts over the other services tell.</summary>
public sealed class AzureNodeStoreTests(EngineFixture engine, ShellImageFixture shell, Azurite server) : NodeStoreTest(engine, shell), IClassFixture<Azurite>
{
    private protected override Task<ServiceStore> StartStoreAsync() => AzureService.StartAsync(server);

    [Theory]
    [InlineData("staged")]
    [InlineData("direct")]
    public async Task Publish_AllIsWell_RunsOnceAndIsThereWhole(string publish)
    {
        var ids = await SendAsync(2, publish: publish);
        await using var one = StartNode(Harness.NodeName);
        await using var two = StartNode(OtherName);
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        await DrainAsync(one, Harness.NodeName);
        await DrainAsync(two, OtherName);
        await AssertPublishedAsync(ids, executions: 1);
        Assert.Equal(publish == "staged", Store.Count(StoreStep.Promote) > 0);
    }

    [Fact]
    public async Task Kill_NodeThatIsAboutToDecide_AnotherPublishesItsOwn()
    {
        var ids = await SendAsync(1);
        var held = Store.Inject(StoreStep.Decide, FaultKind.Held);
        await using var killed = StartNode(Harness.NodeName);
        await UntilAsync(held.Struck);
        Assert.False(IsThere(DecisionOf(ids[0])));
        await killed.KillAsync();
        await using var other = StartNode(OtherName);
        await UntilEndedAsync(ids[0]);
        held.Release();
        await DrainAsync(other, OtherName);
        await RestartAsync(Harness.NodeName);
        await AssertPublishedAsync(ids, executions: 2);
        Assert.Equal(OtherName, ReadDecision(ids[0]).GetProperty("record").GetProperty("node").GetString());
        Assert.Equal(1, (await GetAsync(ids[0])).Losses);
    }
}
