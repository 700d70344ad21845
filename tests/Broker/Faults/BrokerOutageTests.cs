using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>The broker is gone for a while, or throws everybody out.</summary>
public sealed class BrokerOutageTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(6);

    private BrokerServer Server => fixture.Server;

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public async Task Kill_WhileTasksAreHeld_EachEndsOnce(int downFor)
    {
        await using var work = await BeginAsync();
        work.Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 14 : 3);
        await work.SendAsync(12);
        await work.StartedAsync(6);
        await Server.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(downFor), TestContext.Current.CancellationToken);
        await Server.StartAsync();
        await work.AssertHearsAsync(25);
        work.Report($"broker killed, started {downFor} s later", Troubles(work), await work.FinishAsync(60));
    }

    private static string Troubles(Workload work) => $"{work.Nodes.Sum(node => node.Troubles)} calls failed";

    private async Task<Workload> BeginAsync()
    {
        var work = new Workload(Server, s_lease);
        await work.JoinAsync("a", 3);
        await work.JoinAsync("b", 3);
        return work;
    }
}
