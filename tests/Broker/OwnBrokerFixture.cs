using Xunit;

namespace Sisyphus.Tests.Broker;

/// <summary>A broker for the tests of one class, which may do to it what they like as long as it runs again and has no alarm at their end.</summary>
public sealed class OwnBrokerFixture : IAsyncLifetime
{
    public BrokerServer Server { get; } = new();

    public async ValueTask InitializeAsync() => await Server.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
