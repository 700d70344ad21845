using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>The broker is gone for a while, or throws everybody out.</summary>
public sealed class BrokerOutageTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private BrokerServer Server => fixture.Server;

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9)]
    [InlineData(30)]
    public async Task Kill_WhileTasksAreHeld_EachEndsOnce(int downFor)
    {
        await using var work = await BeginAsync();
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 14 : 3);
        await work.SendAsync(12);
        await work.StartedAsync(6);
        await work.KillBrokerAsync();
        await Task.Delay(TimeSpan.FromSeconds(downFor), TestContext.Current.CancellationToken);
        await Server.StartAsync();
        await work.AssertHearsAsync(25);
        work.Report($"broker killed, started {downFor} s later", await work.FinishAsync(losses: 1));
    }

    [Fact]
    public async Task Kill_WhileLeasesExpire_EachEndsOnce()
    {
        await using var work = new Workload(Server, s_lease) { Hold = _ => TimeSpan.FromSeconds(2) };
        var doomed = await work.JoinAsync("doomed", 6);
        work.Hold = _ => TimeSpan.FromMinutes(1);
        await work.SendAsync(6);
        await work.StartedAsync(6);
        await work.KillAsync(doomed);
        work.Hold = _ => TimeSpan.FromSeconds(2);
        await work.JoinAsync("heir", 6);
        // In the moment in which they come back.
        await Task.Delay(s_lease - TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
        await work.KillBrokerAsync();
        await Server.StartAsync();
        await work.AssertHearsAsync(25);
        var more = await work.FinishAsync(losses: 1);
        work.Report("broker killed while leases expire", more - 6);
    }

    [Fact]
    public async Task StopApp_WhileTasksAreHeld_EachEndsOnce()
    {
        await using var work = await BeginAsync();
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 10 : 3);
        await work.SendAsync(12);
        await work.StartedAsync(6);
        await Server.StopAppAsync();
        await Server.StartAppAsync();
        await work.AssertHearsAsync(25);
        work.Report("stop_app, start_app", await work.FinishAsync(losses: 1));
    }

    [Fact]
    public async Task CloseAllConnections_EveryTwoSeconds_EachEndsOnce()
    {
        await using var work = await BeginAsync();
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 15 : 2);
        await work.SendAsync(60);
        for (var closed = 0; closed < 30; closed++)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
            await Server.CloseAllConnectionsAsync("a test");
        }
        await work.AssertHearsAsync(15);
        work.Report("all connections closed every 2 s for a minute", await work.FinishAsync());
    }

    private async Task<Workload> BeginAsync()
    {
        var work = new Workload(Server, s_lease);
        await work.JoinAsync("a", 3);
        await work.JoinAsync("b", 3);
        return work;
    }
}
