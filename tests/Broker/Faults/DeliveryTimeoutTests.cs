using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>The broker's limit for unacknowledged deliveries is a few seconds, and the tasks last several times as long.</summary>
public sealed class DeliveryTimeoutTests : IAsyncLifetime
{
    private readonly BrokerServer _server = new();

    [Theory]
    [InlineData("classic")]
    [InlineData("quorum")]
    public async Task Hold_SeveralTimesAsLongAsTheLimit_RunsOnce(string kind)
    {
        await using var work = new Workload(_server, TimeSpan.FromSeconds(6), settings: $"heartbeat=1&connect_timeout=4s&queues={kind}") { Hold = _ => TimeSpan.FromSeconds(16) };
        await work.JoinAsync("a", 2);
        await work.JoinAsync("b", 2);
        await work.JoinAsync("idle", 2);
        await work.SendAsync(4);
        var more = await work.FinishAsync();
        work.Report($"consumer_timeout of 4 s, tasks of 16 s, {kind}", more);
        Assert.Equal(0, more);
        await work.AssertHearsAsync();
    }

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        await _server.SetConsumerTimeoutAsync(TimeSpan.FromSeconds(4));
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
