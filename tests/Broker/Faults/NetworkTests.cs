using System.Collections.Concurrent;
using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>One of two nodes is cut off from the broker, in one way or another, and comes back by itself.</summary>
public sealed class NetworkTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private BrokerServer Server => fixture.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Both", 0.5)]
    [InlineData("Both", 3.0)]
    [InlineData("ToBroker", 3.0)]
    [InlineData("ToClient", 3.0)]
    public async Task Cut_OneNode_ComesBackAndEachEndsOnce(string direction, double leases)
    {
        await using var relay = new BrokerRelay(Server.Port);
        // Who is back in time has to be so on a busy machine, too.
        await using var work = await BeginAsync(relay, leases < 1 ? TimeSpan.FromSeconds(20) : s_lease);
        relay.Cut(Enum.Parse<RelayDirection>(direction));
        await Task.Delay(leases * work.LeaseTime, Token);
        relay.Heal();
        await EndAsync(work, $"{direction} cut for {leases} leases", losses: leases < 1 ? 0 : 1);
    }

    [Fact]
    public async Task Delay_OfTwoSeconds_NodesGoOn()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = await BeginAsync(relay);
        relay.Delay(TimeSpan.FromSeconds(2));
        await Task.Delay(2 * s_lease, Token);
        relay.Heal();
        await EndAsync(work, "2 s delay each way", losses: 1);
    }

    [Fact]
    public async Task Reset_OneNode_KeepsItsTasks()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = await BeginAsync(relay);
        for (var resets = 0; resets < 4; resets++)
        {
            await relay.ResetAsync();
            await Task.Delay(TimeSpan.FromSeconds(2), Token);
        }
        Assert.Equal(0, await EndAsync(work, "4 resets in 8 s"));
    }

    [Fact]
    public async Task Refuse_OneNode_ComesBackAndEachEndsOnce()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = await BeginAsync(relay);
        await relay.RefuseAsync();
        await Task.Delay(2 * s_lease, Token);
        relay.Heal();
        await EndAsync(work, "connections refused for 2 leases", losses: 1);
    }

    [Fact]
    public async Task Silence_AfterReset_ComesBackAndEachEndsOnce()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = await BeginAsync(relay);
        // What is there breaks, and whoever connects anew is accepted and never answered.
        relay.Cut();
        await relay.ResetAsync();
        await Task.Delay(2 * s_lease, Token);
        relay.Heal();
        await EndAsync(work, "a port that accepts and never answers, for 2 leases", losses: 1);
    }

    [Fact]
    public async Task Send_WhileAnotherLosesPatience_IsConfirmed()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = new Workload(Server, s_lease);
        await using var queue = TaskQueues.Open(work.AddressOf(relay.Through(Server.AmqpUri)), work.Options());
        // Declaring takes seconds then, and both wait for the same.
        relay.Delay(TimeSpan.FromMilliseconds(100));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var impatient = queue.SendAsync([work.NewTask()], patience.Token);
        await Task.Delay(TimeSpan.FromSeconds(2), Token);
        var patient = queue.SendAsync([work.NewTask()], Token);
        await Task.Delay(TimeSpan.FromSeconds(0.5), Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        Assert.Equal(SendResult.Sent, Assert.Single(await patient).Result);
    }

    [Fact]
    public async Task Watch_OverFortySecondsWithoutABroker_GoesOn()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = new Workload(Server, s_lease);
        await using var queue = TaskQueues.Open(work.AddressOf(relay.Through(Server.AmqpUri)), work.Options());
        var before = Assert.Single(await work.SendAsync(1));
        var seen = new ConcurrentBag<string?>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var watching = WatchAsync(queue, seen, over.Token);
        await work.UntilAsync(() => seen.Contains(before), 10, () => "Nothing is seen.");
        await relay.RefuseAsync();
        await Task.Delay(TimeSpan.FromSeconds(40), Token);
        relay.Heal();
        var after = Assert.Single(await work.SendAsync(1));
        await work.UntilAsync(() => seen.Contains(after) || watching.IsCompleted, 60, () => "It is deaf.");
        Assert.False(watching.IsFaulted, watching.Exception?.Message);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Theory, InlineData("killed"), InlineData("told"), InlineData("silent")]
    public async Task Outage_WhileSomebodyFollows_IsSaidFromItsBeginningToItsEnd(string how)
    {
        await using var server = new BrokerServer();
        await server.StartAsync();
        var address = await server.AddUserAsync("watcher", "s3cr3t", "/", ".*", ".*", ".*");
        await using var work = new Workload(server, s_lease, address);
        await using var queue = TaskQueues.Open(work.Address, work.Options());
        var before = Assert.Single(await work.SendAsync(1));
        Assert.Null(queue.Outage);
        var seen = new ConcurrentBag<string?>();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var watching = WatchAsync(queue, seen, over.Token);
        await work.UntilAsync(() => seen.Contains(before), 10, () => "Nothing is seen.");
        Assert.Null(queue.Outage);
        await (how switch { "killed" => work.KillBrokerAsync(), "told" => server.StopAppAsync(), _ => server.PauseAsync() });
        await work.UntilAsync(() => queue.Outage is not null, 10, () => "It does not say that the broker is gone.");
        string? said = null;
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(8); await Task.Delay(50, Token))
        {
            if (queue.Outage != said)
                TestContext.Current.TestOutputHelper?.WriteLine(queue.Outage ?? "null");
            said = queue.Outage;
            Assert.NotNull(said);
            Assert.DoesNotContain("s3cr3t", said, StringComparison.Ordinal);
            Assert.StartsWith("The queue amqp://watcher@127.0.0.1", said, StringComparison.Ordinal);
        }
        await (how switch { "killed" => server.StartAsync(), "told" => server.StartAppAsync(), _ => server.ContinueAsync() });
        await work.UntilAsync(() => queue.Outage is null, 40, () => $"It still says: {queue.Outage}");
        var after = Assert.Single(await work.SendAsync(1));
        await work.UntilAsync(() => seen.Contains(after), 60, () => "It is deaf.");
        Assert.Null(queue.Outage);
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task Join_NameOfLivingNode_IsRefusedAtOnce()
    {
        await using var work = new Workload(Server, s_lease);
        await work.JoinAsync("twin", 1);
        var started = Stopwatch.GetTimestamp();
        var refused = await Assert.ThrowsAsync<QueueException>(() => work.JoinAsync("twin", 1));
        Assert.Equal(QueueFailure.NodeNameTaken, refused.Failure);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 3);
        await work.AssertHearsAsync();
        Assert.Equal(0, await work.FinishAsync());
    }

    [Fact]
    public async Task Join_NameOfNodeThatIsCutOff_IsFreeSoon()
    {
        await using var relay = new BrokerRelay(Server.Port);
        await using var work = new Workload(Server, s_lease) { Hold = _ => TimeSpan.FromMinutes(1) };
        var old = await work.JoinAsync("name", 1, relay.Through(Server.AmqpUri));
        await work.SendAsync(1);
        await work.StartedAsync(1);
        relay.Cut();
        work.Hold = _ => TimeSpan.FromSeconds(1);
        var started = Stopwatch.GetTimestamp();
        await work.JoinAsync("name", 1);
        var took = Stopwatch.GetElapsedTime(started);
        Assert.InRange(took.TotalSeconds, 0, 8);
        relay.Heal();
        await work.AssertHearsAsync();
        var more = await work.FinishAsync(losses: 1);
        work.Report($"name of a node that is cut off: free after {took.TotalSeconds:0.0} s with a heartbeat of 1 s", more);
        // The old one learns that it has lost its name.
        await Assert.ThrowsAsync<QueueException>(async () =>
        {
            while (!Token.IsCancellationRequested)
                await old.Session.HeartbeatAsync(new NodeStatus(NodeState.Idle, [], 0, 0, null, 0, ""), Token);
        });
    }

    private async Task<Workload> BeginAsync(BrokerRelay relay, TimeSpan? lease = null)
    {
        var work = new Workload(Server, lease ?? s_lease) { Hold = _ => TimeSpan.FromSeconds(9) };
        await work.JoinAsync("cut", 3, relay.Through(Server.AmqpUri));
        await work.JoinAsync("steady", 3);
        await work.SendAsync(6);
        await work.StartedAsync(6);
        work.Hold = _ => TimeSpan.FromSeconds(1);
        return work;
    }

    /// <summary>Both nodes hear again: more tasks at once than one has slots for, that last until both have some.</summary>
    private static async Task<int> EndAsync(Workload work, string fault, int losses = 0)
    {
        work.Hold = _ => TimeSpan.FromSeconds(12);
        var before = work.Executions.Count(run => run.Node == "cut");
        var sent = await work.SendAsync(5);
        await work.UntilAsync(() => sent.All(id => work.Executions.Any(run => run.Task == id)), 25, () => "Some were not started.");
        Assert.Contains(work.Executions, run => run.Node == "cut" && sent.Contains(run.Task));
        Assert.True(work.Executions.Count(run => run.Node == "cut") > before);
        var more = await work.FinishAsync(losses: losses);
        work.Report(fault, more);
        return more;
    }

    private static async Task WatchAsync(ITaskQueue queue, ConcurrentBag<string?> seen, CancellationToken over)
    {
        await foreach (var happened in queue.ReadEventsAsync(new EventQuery { After = 0, Follow = true }, over))
            seen.Add(happened.TaskId);
    }
}
