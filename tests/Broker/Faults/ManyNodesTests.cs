using System.Globalization;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

public sealed class ManyNodesTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private const int Count = 32;
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Idle_32Nodes_AllGetWorkAndCostLittle()
    {
        // As in operation: the default heartbeat and lease time.
        await using var work = new Workload(fixture.Server, TimeSpan.FromMinutes(3), settings: "heartbeat=10") { Hold = _ => TimeSpan.FromSeconds(20) };
        for (var number = 1; number <= Count; number++)
            await work.JoinAsync($"n{number:00}", 1);
        var before = await PublishedAsync();
        await Task.Delay(s_watch, Token);
        var published = await PublishedAsync() - before;
        var (connections, channels, queues) = (await CountAsync("connections"), await CountAsync("channels"), await CountAsync("queues"));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} nodes idle: {connections} connections, {channels} channels, {queues} queues; {published / s_watch.TotalMinutes / Count:0.0} messages a node a minute without its heartbeats"));
        await work.SendAsync(Count);
        await work.StartedAsync(Count, 30);
        Assert.Equal(Count, work.Executions.Select(run => run.Node).Distinct().Count());
        await work.FinishAsync(60);
    }

    private async Task<double> PublishedAsync() => double.Parse(
        await fixture.Server.EvalAsync("lists:sum([maps:get(messages_received_total, Counters, 0) || Counters <- maps:values(rabbit_global_counters:overview())])"),
        CultureInfo.InvariantCulture);

    private async Task<int> CountAsync(string what) =>
        (await fixture.Server.RunControlAsync($"list_{what}", what == "queues" ? "name" : "pid")).Split('\n').Count(line => line.Length > 0 && line is not ("pid" or "name"));
}
