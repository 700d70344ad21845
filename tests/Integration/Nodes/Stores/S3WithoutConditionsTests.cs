using Sisyphus.Engine.Queues;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes.Stores;

/// <summary>A service that lets everybody decide.</summary>
public sealed class S3WithoutConditionsTests(EngineFixture engine, ShellImageFixture shell) : NodeStoreTest(engine, shell)
{
    private protected override Task<ServiceStore> StartStoreAsync() => S3Service.StartAsync(ignoresConditions: true);

    [Fact]
    public async Task Publish_ConditionsAreIgnored_IsToldInRecordAndWarning()
    {
        var ids = await SendAsync(2);
        await using var one = StartNode(Harness.NodeName);
        await using var two = StartNode(OtherName);
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        await DrainAsync(one, Harness.NodeName);
        await DrainAsync(two, OtherName);
        await AssertPublishedAsync(ids, executions: 1);
        foreach (var id in ids)
        {
            Assert.False(ReadDecision(id).GetProperty("exclusive").GetBoolean());
            Assert.False(ReadDecision(id).GetProperty("record").GetProperty("exclusive").GetBoolean());
            Assert.Contains(await EventsAsync(id), item => item.Kind == QueueEventKind.TaskWarned && item.Message.Contains("ignores conditions", StringComparison.Ordinal));
        }
    }
}
