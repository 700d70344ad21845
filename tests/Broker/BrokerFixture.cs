using Sisyphus.Tests.Broker;
using Xunit;

[assembly: AssemblyFixture(typeof(BrokerFixture))]

namespace Sisyphus.Tests.Broker;

/// <summary>One broker for all tests that do it no harm; each takes a virtual host of its own. The others start their own.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    public BrokerServer Server { get; } = new();

    public async ValueTask InitializeAsync() => await Server.StartAsync();

    /// <returns>Address of an empty virtual host for guest.</returns>
    public Task<Uri> NewVirtualHostAsync() => Server.AddVirtualHostAsync("v-" + Guid.NewGuid().ToString("n"));

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
