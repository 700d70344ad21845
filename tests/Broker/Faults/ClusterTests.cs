using System.Diagnostics;
using System.Globalization;
using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Members of a cluster go and come back.</summary>
public sealed class ClusterTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private BrokerCluster Cluster => fixture.Cluster;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Join_InACluster_EveryMemberHasACopy()
    {
        await using var work = await BeginAsync("quorum");
        foreach (var name in (string[])[".events", ".heartbeats", ".returns", ".lease.a@6s", "-queue"])
            Assert.Equal(BrokerCluster.Size, await Cluster.CountCopiesAsync(work.Prefix + name));
    }

    // Open: afterwards a client that reads the events for the first time is often delivered nothing, although all copies are complete.
    [Theory(Explicit = true)]
    [InlineData(".lease.a@6s")]
    [InlineData(".returns")]
    [InlineData(".events")]
    public async Task KillLeader_WhileTasksAreHeld_EachEndsOnce(string name)
    {
        await using var work = await BeginAsync("quorum");
        await HoldAsync(work);
        await Cluster.KillAsync(await Cluster.FindHomeAsync(work.Prefix + name));
        // Two of three are enough: it goes on at once.
        var after = await HearsAfterAsync(work, 15);
        await Cluster.StartMissingAsync();
        await work.AssertHearsAsync();
        Report(work, $"leader of {name[1..]} killed", await work.FinishAsync(), after);
    }

    // Open: now and then the heartbeats' stream confirms nothing for half a minute afterwards.
    [Fact(Explicit = true)]
    public async Task KillTwo_ForLongerThanTheLease_EachEndsOnce()
    {
        await using var work = await BeginAsync("quorum");
        await HoldAsync(work);
        await Cluster.KillAsync(Cluster.Members.Skip(1));
        await Task.Delay(s_lease + TimeSpan.FromSeconds(3), Token);
        await Cluster.StartMissingAsync();
        var after = await HearsAfterAsync(work, 30);
        Report(work, "two of three killed for 9 s", await work.FinishAsync(), after);
    }

    [Fact]
    public async Task Restart_OneAfterTheOther_EachEndsOnce()
    {
        await using var work = await BeginAsync("quorum");
        await HoldAsync(work);
        var longest = TimeSpan.Zero;
        foreach (var member in Cluster.Members)
        {
            await member.StopAsync();
            if (await HearsAfterAsync(work, 15) is var after && after > longest)
                longest = after;
            await member.StartAsync();
        }
        await work.AssertHearsAsync();
        Report(work, "rolling restart", await work.FinishAsync(), longest);
    }

    [Fact]
    public async Task KillHomeOfTaskQueue_ThatIsClassic_HeldTasksEndAndNothingIsLost()
    {
        await using var work = await BeginAsync("auto");
        await HoldAsync(work);
        var main = $"{work.Prefix}-queue";
        var home = await Cluster.FindHomeAsync(main);
        await Cluster.KillAsync(home);
        // What is held does not need the queue.
        await work.UntilAsync(() => work.Executions.Count(run => run.Counted == true) >= 8, 15, () => "What is held does not end.");
        var sent = Assert.Single(await work.Queue.SendAsync([work.NewTask()], Token));
        Assert.True(sent.Result == SendResult.Unknown, $"{sent.Result} {sent.Message}");
        await home.StartAsync();
        Assert.Same(home, await Cluster.FindHomeAsync(main));
        var after = await HearsAfterAsync(work, 15);
        Report(work, "home of the classic task queue killed", await work.FinishAsync(), after);
    }

    /// <summary>Ten tasks, of which one is held for longer than the lease, and room for more.</summary>
    private static async Task HoldAsync(Workload work)
    {
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 9 : 2);
        await work.SendAsync(10);
        await work.StartedAsync(10);
    }

    /// <summary>How long it takes until a task that is sent now is claimed.</summary>
    private static async Task<TimeSpan> HearsAfterAsync(Workload work, double seconds)
    {
        var since = Stopwatch.GetTimestamp();
        await work.AssertHearsAsync(seconds);
        return Stopwatch.GetElapsedTime(since);
    }

    private async Task<Workload> BeginAsync(string queues)
    {
        await Cluster.StartMissingAsync();
        var work = new Workload(Cluster.Members[0], s_lease, settings: $"heartbeat=1&connect_timeout=4s&queues={queues}") { Hosts = Cluster.Hosts };
        await work.JoinAsync("a", 8);
        await work.JoinAsync("b", 8);
        return work;
    }

    private static void Report(Workload work, string fault, int duplicates, TimeSpan after) =>
        work.Report(string.Create(CultureInfo.InvariantCulture, $"{fault}; goes on after {after.TotalSeconds:0.0} s"), duplicates);
}
