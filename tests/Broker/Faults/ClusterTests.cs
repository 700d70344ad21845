using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Members of a cluster go and come back.</summary>
public sealed class ClusterTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private BrokerCluster Cluster => fixture.Cluster;

    [Fact]
    public async Task Declare_InACluster_EveryMemberHasACopy()
    {
        await using var work = await BeginAsync("quorum");
        foreach (var name in (string[])[".events", ".heartbeats", ".returns", ".lease.a@6s", "-queue"])
            Assert.Equal(BrokerCluster.Size, await Cluster.CountCopiesAsync(work.Prefix + name));
    }

    [Theory]
    [InlineData("quorum", ".lease.a@6s", 0)]
    [InlineData("quorum", ".returns", 9)]
    public async Task KillLeader_WhileTasksAreHeld_EachEndsOnce(string queues, string name, int downFor)
    {
        await using var work = await BeginAsync(queues);
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 12 : 3);
        await work.SendAsync(12);
        await work.StartedAsync(6);
        await Cluster.KillAsync(await Cluster.FindHomeAsync(work.Prefix + name));
        var killed = Stopwatch.GetTimestamp();
        // One of three is enough to be without: it goes on at once.
        await work.AssertHearsAsync(15);
        var after = Stopwatch.GetElapsedTime(killed);
        await Task.Delay(TimeSpan.FromSeconds(downFor), TestContext.Current.CancellationToken);
        await Cluster.StartMissingAsync();
        await work.AssertHearsAsync();
        Report(work, $"leader of {name[1..]} killed, {queues}", await work.FinishAsync(), after);
    }

    private async Task<Workload> BeginAsync(string queues)
    {
        var work = new Workload(Cluster.Members[0], s_lease, settings: $"heartbeat=1&connect_timeout=4s&queues={queues}") { Hosts = Cluster.Hosts };
        await work.JoinAsync("a", 3);
        await work.JoinAsync("b", 3);
        return work;
    }

    private static void Report(Workload work, string fault, int duplicates, TimeSpan after) =>
        work.Report(string.Create(CultureInfo.InvariantCulture, $"{fault}; work goes on after {after.TotalSeconds:0.0} s"), duplicates);
}
