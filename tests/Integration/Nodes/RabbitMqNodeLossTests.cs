using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

public sealed class RabbitMqNodeLossTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker)
    : NodeLossContract(engine, shell, BrokerQueues.New(broker.Server.AmqpUri)), IClassFixture<OwnBrokerFixture>
{
    private readonly BrokerRelay _relay = new(broker.Server.Port);

    // A broker gives the tasks of a node to others when their leases have run out, and not before.
    private protected override int LeaseOfTheKilled => 4;

    private protected override string AddressOfProcesses => _relay.Through(new Uri(Address)).ToString();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _relay.DisposeAsync();
    }

    private protected override async Task<IAsyncDisposable> HoldUpAsync()
    {
        await _relay.RefuseAsync();
        return new Refusal(_relay);
    }

    private sealed class Refusal(BrokerRelay relay) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            relay.Heal();
            return ValueTask.CompletedTask;
        }
    }
}
