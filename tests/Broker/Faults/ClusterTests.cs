using System.Diagnostics;
using System.Globalization;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
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

    [Theory]
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
        Report(work, $"leader of {name[1..]} killed", await work.FinishAsync(losses: 1), after);
    }

    [Fact]
    public async Task KillLeader_WhileEventsAreWritten_WhatIsConfirmedIsThereOnce()
    {
        await Cluster.StartMissingAsync();
        await using var work = new Workload(Cluster.Members[0], s_lease, settings: "heartbeat=1&connect_timeout=4s") { Hosts = Cluster.Hosts };
        await work.JoinAsync("a", 1);
        var leader = await Cluster.FindHomeAsync(work.Prefix + ".events");
        // A writer whose own connection stays.
        await using var parts = new BrokerParts(BrokerAddress.Parse(work.AddressOf(Cluster.Members.First(member => member != leader).AmqpUri)), work.Options(), TimeProvider.System);
        List<Task<string>> writing = [];
        var killing = Task.CompletedTask;
        for (var i = 0; i < 400; i++)
        {
            writing.Add(WriteAsync(parts, parts.Names.Events));
            writing.Add(WriteAsync(parts, parts.Names.Heartbeats));
            if (i == 100)
                killing = Cluster.KillAsync(leader);
            await Task.Delay(5, Token);
        }
        await killing;
        await Task.WhenAll(writing);
        for (var i = 0; i < 400; i++)
            writing.Add(WriteAsync(parts, parts.Names.Events));
        var confirmed = await Task.WhenAll(writing);
        List<string> there = [.. await ReadMarksAsync(parts, parts.Names.Events), .. await ReadMarksAsync(parts, parts.Names.Heartbeats)];
        Assert.Equal(confirmed.Order(), there.Where(confirmed.ToHashSet().Contains).Order());
        await Cluster.StartMissingAsync();
    }

    [Fact]
    public async Task KillTwo_ForLongerThanTheLease_EachEndsOnce()
    {
        await using var work = await BeginAsync("quorum");
        await HoldAsync(work);
        await Cluster.KillAsync(Cluster.Members.Skip(1));
        await Task.Delay(s_lease + TimeSpan.FromSeconds(3), Token);
        await Cluster.StartMissingAsync();
        var after = await HearsAfterAsync(work, 30);
        Report(work, "two of three killed for 9 s", await work.FinishAsync(losses: 1), after);
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
        Report(work, "rolling restart", await work.FinishAsync(losses: 1), longest);
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
        // 3.x is silent about it, 4.x refuses it: in neither case is it called sent.
        Assert.True(sent.Result is SendResult.Unknown or SendResult.Refused, $"{sent.Result} {sent.Message}");
        await home.StartAsync();
        Assert.Same(home, await Cluster.FindHomeAsync(main));
        var after = await HearsAfterAsync(work, 15);
        Report(work, "home of the classic task queue killed", await work.FinishAsync(losses: 1), after);
    }

    /// <summary>Ten tasks, of which one is held for longer than the lease, and room for more.</summary>
    private static async Task HoldAsync(Workload work)
    {
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 9 : 2);
        await work.SendAsync(10);
        await work.StartedAsync(10);
    }

    private static async Task<string> WriteAsync(BrokerParts parts, string stream)
    {
        var mark = Guid.NewGuid().ToString("N");
        await parts.Writer.WriteMarkerAsync(stream, new LogEntry { Kind = LogEntryKind.Marker, Time = parts.Now, Mark = mark }, Token);
        return mark;
    }

    /// <summary>All that are there now.</summary>
    private static async Task<List<string>> ReadMarksAsync(BrokerParts parts, string stream)
    {
        // Over a channel that has known no other leader.
        parts.Writer.Renew(stream, TimeSpan.Zero);
        var last = await WriteAsync(parts, stream);
        List<string> marks = [];
        await foreach (var message in new EventStream(parts.Reading, parts.Calls, stream).ReadAsync(EventStream.First, () => Task.CompletedTask, Token))
        {
            marks.AddRange(message.Entries.Select(entry => entry.Mark).OfType<string>());
            if (marks.Contains(last))
                break;
        }
        return marks;
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
