using System.Text;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Tests.Unit.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Queues;

/// <summary>The contract on a real broker; each test has names of its own on it.</summary>
public abstract class RabbitMqContractTests(BrokerFixture fixture, string kind) : TaskQueueContract
{
    private readonly string _prefix = "t-" + Guid.NewGuid().ToString("N")[..12];

    private string Address => $"{fixture.Server.AmqpUri}?prefix={_prefix}&queues={kind}";

    // Nobody but the nodes knows what was sent before.
    private protected override SendResult SentAgain => SendResult.Sent;

    private protected override bool RefusesDocumentsWithoutId => false;

    private protected override Task<ITaskQueue> OpenAsync(QueueOptions options, TimeProvider clock) => Task.FromResult(TaskQueues.Open(Address, options, clock));

    private protected override Task KillAsync(INodeSession session) => ((RabbitMqNodeSession)session).KillAsync();

    private protected override async Task SendRawAsync(ITaskQueue queue, string id, string text)
    {
        var parts = ((RabbitMqTaskQueue)queue).Parts;
        var token = TestContext.Current.CancellationToken;
        await parts.Topology.EnsureExchangeAsync(await parts.Reading.ConnectAsync(token), token);
        await parts.Publisher.PublishAsync(parts.Names.Exchange, parts.Names.TaskKey, new BasicProperties { MessageId = id, Persistent = true }, Encoding.UTF8.GetBytes(text), mandatory: true, token);
    }
}

public sealed class ClassicRabbitMqContractTests(BrokerFixture fixture) : RabbitMqContractTests(fixture, "classic");

public sealed class QuorumRabbitMqContractTests(BrokerFixture fixture) : RabbitMqContractTests(fixture, "quorum");
