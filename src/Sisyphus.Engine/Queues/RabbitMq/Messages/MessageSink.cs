using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>Takes what one queue delivers.</summary>
/// <param name="handle">One after the other; must not close the channel. Where it fails the delivery is at its end, so that the message comes again.</param>
/// <param name="ended">The broker ended it, with the reason.</param>
internal sealed class MessageSink(IChannel channel, string queue, Func<Incoming, Task> handle, Action<string> ended) : AsyncDefaultBasicConsumer(channel)
{
    public override async Task HandleBasicDeliverAsync(
        string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        try
        {
            await handle(new Incoming(Channel, deliveryTag, queue, new BasicProperties(properties), body.ToArray())).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            // The client would keep it to itself, and the message waited for ever.
            ended($"a message of {queue} could not be handled: {error.Message}");
        }
    }

    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        ended($"the broker ended the delivery of {queue}");
        return Task.CompletedTask;
    }

    public override Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason)
    {
        if (reason.Initiator != ShutdownInitiator.Application)
            ended(reason.ReplyText);
        return Task.CompletedTask;
    }
}
