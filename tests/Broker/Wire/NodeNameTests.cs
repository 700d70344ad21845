using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>A node's name and its leases are its alone.</summary>
public sealed class NodeNameTests(BrokerFixture fixture) : WireTest(fixture)
{
    [Theory, InlineData("~2"), InlineData("~3")]
    public async Task JoinAsync_LivingNodeHasAnotherQueueOfTheName_IsRefused(string suffix)
    {
        // As where the first queue's member of the cluster was down when that node joined, and is back.
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: Token);
        var queue = "sisyphus.node.node-1" + suffix;
        await channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: false, cancellationToken: Token);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, question) =>
            await channel.BasicPublishAsync("", question.BasicProperties.ReplyTo!, false, new BasicProperties { CorrelationId = question.BasicProperties.CorrelationId }, Encoding.UTF8.GetBytes("NotMine"), Token);
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer, Token);
        var taken = await Assert.ThrowsAsync<QueueException>(() => JoinAsync());
        Assert.True(taken.Failure == QueueFailure.NodeNameTaken, taken.Message);
        // And what it took is free again.
        Assert.Null(await CountAsync("sisyphus.node.node-1"));
        await JoinAsync("node-2");
    }

    [Fact]
    public async Task Node_FirstQueueOfItsNameIsFreeAgain_KeepsTheOneThatItHas()
    {
        const string First = "sisyphus.node.node-1";
        await using var other = await new ConnectionFactory { Uri = Address, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
        await using (var channel = await other.CreateChannelAsync(cancellationToken: Token))
            // Refuses all, as one whose member of the cluster is down.
            await channel.QueueDeclareAsync(First, durable: false, exclusive: true, autoDelete: false, new Dictionary<string, object?> { ["x-max-length"] = 0, ["x-overflow"] = "reject-publish" }, cancellationToken: Token);
        var session = await JoinAsync();
        await other.CloseAsync(Token);
        await EventuallyAsync(() => CountAsync(First), count => count is null);
        // The node begins anew, on the connection that has its name.
        await Channel.QueueDeleteAsync("sisyphus.lease.node-1@6s", cancellationToken: Token);
        await EventuallyAsync(() => CountAsync("sisyphus.lease.node-1@6s"), count => count is not null);
        await PublishAsync(Main, GoodDocument);
        await ClaimAsync(session);
        Assert.Null(await CountAsync(First));
    }

    [Fact]
    public async Task JoinAsync_SomebodyElseConsumesTheLeases_SaysSo()
    {
        await (await JoinAsync()).DisposeAsync();
        await Channel.BasicConsumeAsync("sisyphus.lease.node-1@6s", autoAck: false, new AsyncDefaultBasicConsumer(Channel), Token);
        var refused = await Assert.ThrowsAsync<QueueException>(() => JoinAsync());
        Assert.Contains("sisyphus.lease.node-1@6s", refused.Message, StringComparison.Ordinal);
    }
}
