using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>A cluster for the tests of one class, which leave all of its members running.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    public BrokerCluster Cluster { get; } = new();

    public async ValueTask InitializeAsync() => await Cluster.StartAsync();

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
