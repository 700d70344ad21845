using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>Packets on the way between one of two nodes and the broker are lost, as the kernels on both sides see it.</summary>
/// <remarks>What only a delay of packets would show, <see cref="NetworkTests"/> does with a relay: of delaying them not every kernel is capable (netem).</remarks>
public sealed class PacketTests
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private readonly int _badPort = FreePorts.Next();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public Task Lose_AFifth_EachEndsOnce() => RunAsync(nameof(LoseAFifth));

    [Fact]
    public Task Lose_AllForThreeLeases_EachEndsOnce() => RunAsync(nameof(LoseAll));

    /// <summary>Inside. Tasks come, run and end while packets are lost.</summary>
    [Fact(Explicit = true)]
    public async Task LoseAFifth()
    {
        await using var server = await StartAsync();
        await using var work = await BeginAsync(server);
        await NetworkNamespace.LoseAsync(_badPort, 0.2);
        for (var batch = 0; batch < 5; batch++)
        {
            await work.SendAsync(12);
            await Task.Delay(s_lease, Token);
        }
        var more = await work.FinishAsync(60, losses: 1);
        Assert.Contains(work.Executions, run => run.Node == "bad" && run.Counted == true);
        var lost = await NetworkNamespace.HealAsync();
        Assert.True(lost > 100, $"Only {lost} packets were lost.");
        await EndAsync(work, $"20 % of the packets lost each way ({lost} in all), for 5 leases and more", more);
    }

    /// <summary>Inside.</summary>
    [Fact(Explicit = true)]
    public async Task LoseAll()
    {
        await using var server = await StartAsync();
        await using var work = await BeginAsync(server);
        await NetworkNamespace.LoseAsync(_badPort, 1);
        await Task.Delay(3 * s_lease, Token);
        await NetworkNamespace.HealAsync();
        var more = await work.FinishAsync(60, losses: 1);
        await EndAsync(work, "all packets dropped both ways for 3 leases", more);
    }

    private static Task RunAsync(string inside) => NetworkNamespace.RunAsync($"{typeof(PacketTests).FullName}.{inside}");

    private async Task<BrokerServer> StartAsync()
    {
        Assert.SkipUnless(NetworkNamespace.IsInside, "Run inside a network namespace by the tests above.");
        var server = new BrokerServer(new BrokerOptions { Config = [$"listeners.tcp.2 = 127.0.0.1:{_badPort}"] });
        await server.StartAsync();
        return server;
    }

    /// <summary>Both nodes have all they can.</summary>
    private async Task<Workload> BeginAsync(BrokerServer server)
    {
        var work = new Workload(server, s_lease) { Hold = _ => TimeSpan.FromSeconds(9) };
        await work.JoinAsync("bad", 3, new UriBuilder(server.AmqpUri) { Port = _badPort }.Uri);
        await work.JoinAsync("steady", 3);
        await work.SendAsync(6);
        await work.StartedAsync(6);
        var sent = 0;
        work.Hold = _ => TimeSpan.FromSeconds(1 + (Interlocked.Increment(ref sent) % 3));
        return work;
    }

    private static async Task EndAsync(Workload work, string fault, int more)
    {
        // More at once than one has slots for, so that both have to hear.
        work.Hold = _ => TimeSpan.FromSeconds(12);
        var sent = await work.SendAsync(5);
        await work.UntilAsync(() => sent.All(id => work.Executions.Any(run => run.Task == id)), 25, () => "Some were not started.");
        Assert.Contains(work.Executions, run => run.Node == "bad" && sent.Contains(run.Task));
        Assert.Equal(more, await work.FinishAsync(losses: 1));
        work.Report(fault, more);
    }
}
