using System.Globalization;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

public sealed class ManyNodesTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private const int Count = 32;
    private const int Tasks = 320;
    private static readonly TimeSpan s_watch = TimeSpan.FromSeconds(20);

    private static TimeSpan Hold => TimeSpan.FromSeconds(62);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Join_32Nodes_AllGetWorkAndCostLittle()
    {
        // As in operation: the default heartbeat and lease time.
        await using var work = new Workload(fixture.Server, TimeSpan.FromMinutes(3), settings: "heartbeat=10") { Hold = _ => Hold + TimeSpan.FromSeconds(10) };
        for (var number = 1; number <= Count; number++)
            await work.JoinAsync($"n{number:00}", 1);
        await ReportAsync("idle", () => Task.Delay(s_watch, Token), Count * s_watch.TotalMinutes, "a node a minute without its heartbeats");
        await work.SendAsync(Count);
        await work.StartedAsync(Count, 30);
        Assert.Equal(Count, work.Executions.Select(run => run.Node).Distinct().Count());
        // Longer than the time between two renewals.
        await ReportAsync("with a task each", () => Task.Delay(Hold, Token), Count * Hold.TotalMinutes, "a node a minute without its heartbeats");
        await work.FinishAsync(60);
        work.Hold = _ => TimeSpan.Zero;
        await ReportAsync("busy with tasks of no length", async () =>
        {
            await work.SendAsync(Tasks);
            await work.FinishAsync(60);
        }, Tasks, "a task");
    }

    private async Task ReportAsync(string what, Func<Task> act, double units, string unit)
    {
        var before = await PublishedAsync();
        await act();
        var published = await PublishedAsync() - before;
        var (connections, channels, queues) = (await CountAsync("connections"), await CountAsync("channels"), await CountAsync("queues"));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} nodes {what}: {connections} connections, {channels} channels, {queues} queues; {published / units:0.0} messages {unit}"));
    }

    private async Task<double> PublishedAsync() => double.Parse(
        await fixture.Server.EvalAsync("lists:sum([maps:get(messages_received_total, Counters, 0) || Counters <- maps:values(rabbit_global_counters:overview())])"),
        CultureInfo.InvariantCulture);

    private async Task<int> CountAsync(string what) =>
        (await fixture.Server.RunControlAsync($"list_{what}", what == "queues" ? "name" : "pid")).Split('\n').Count(line => line.Length > 0 && line is not ("pid" or "name"));
}
