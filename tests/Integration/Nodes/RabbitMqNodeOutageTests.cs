using Sisyphus.Engine.Queues;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>The broker is away, takes nothing, or throws everybody out, while two nodes work.</summary>
public sealed class RabbitMqNodeOutageTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : RabbitMqNodeTest(engine, shell, broker)
{
    [Fact]
    public async Task Kill_BrokerForLongerThanTheLease_EachIsRunAndPublishedOnce()
    {
        var ids = await SendAsync(3, 10);
        await using var one = StartProcess(Address, Lease);
        await using var two = StartProcess(Address, Lease, OtherName);
        await Task.WhenAll(ids.Select(UntilRunningAsync));
        // 3.10 keeps the names of its Raft members in memory for seconds: killed so soon after its first stream, it never finds it again.
        await Server.EvalAsync("lists:foreach(fun dets:sync/1, dets:all())");
        await Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(Lease + 1), Token);
        await Server.StartAsync();
        await FinishAsync([one, two], [.. ids, .. await SendAsync(0.1)]);
        Assert.All(ids, id => Assert.Equal(1, Ledger.Count(id)));
    }

    [Fact]
    public async Task MemoryAlarm_ForTwoLeases_EachIsRunAndPublishedOnce()
    {
        var ids = await SendAsync(3, 10);
        await using var one = StartProcess(Address, Lease);
        await using var two = StartProcess(Address, Lease, OtherName);
        await Task.WhenAll(ids.Select(UntilRunningAsync));
        await Server.SetMemoryAlarmAsync(true);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(2 * Lease), Token);
            Assert.Contains("blocked", await Server.RunControlAsync("list_connections", "state"), StringComparison.Ordinal);
        }
        finally
        {
            await Server.SetMemoryAlarmAsync(false);
        }

        await FinishAsync([one, two], [.. ids, .. await SendAsync(0.1)]);
        Assert.All(ids, id => Assert.Equal(1, Ledger.Count(id)));
    }

    [Fact]
    public async Task CloseAllConnections_EveryTwoSeconds_EachIsPublishedOnce()
    {
        var ids = await SendAsync(10, 3, 3, 3, 3, 3);
        await using var one = StartProcess(Address, Lease, concurrency: 2);
        await using var two = StartProcess(Address, Lease, OtherName, 2);
        await UntilAsync(ids, item => item.Kind == QueueEventKind.TaskClaimed);
        for (var closed = 0; closed < 10; closed++)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), Token);
            await Server.CloseAllConnectionsAsync("a test");
        }

        await FinishAsync([one, two], ids);
        // A claim that is cut in its middle may have to be made again, in an attempt that publishes nothing.
        Assert.All(ids, id => Assert.True(Ledger.Count(id) >= 1));
        TestContext.Current.TestOutputHelper?.WriteLine($"{ids.Sum(Ledger.Count) - ids.Length} executions too many.");
    }

    private async Task FinishAsync(NodeProcess[] nodes, string[] ids)
    {
        await Task.WhenAll(ids.Select(UntilEndedAsync));
        foreach (var node in nodes)
            await EndAsync(node);
        await AssertAllOverAsync(ids);
    }
}
