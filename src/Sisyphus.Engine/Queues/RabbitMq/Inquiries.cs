using System.Diagnostics;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>What can be asked of a queue. None of it needs a right, but that to publish.</summary>
internal sealed class Inquiries(BrokerCalls calls)
{
    private static readonly TimeSpan s_consumerPause = TimeSpan.FromMilliseconds(50);

    /// <returns>Messages that wait in the queue; null when there is no such queue.</returns>
    public async Task<uint?> CountAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        uint count = 0;
        var error = await calls.TryAsync(connection, async channel => count = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).MessageCount, cancellationToken).ConfigureAwait(false);
        return error is null ? count : error.ShutdownReason?.ReplyCode == Constants.NotFound ? null : throw calls.Explain(error, $"ask for {queue}");
    }

    /// <summary>Whether somebody has the queue for himself: as the only one who may have it at all, or where an administrator declared it as its only consumer.</summary>
    public async Task<bool> IsTakenAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        uint consumers = 0;
        var error = await calls.TryAsync(connection, async channel => consumers = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).ConsumerCount, cancellationToken).ConfigureAwait(false);
        return error is null ? consumers > 0 : error.ShutdownReason?.ReplyCode == Constants.ResourceLocked;
    }

    /// <summary>Whether an exclusive queue is of no use to anybody: its member of the cluster is down, and the broker keeps its name until that is back.</summary>
    /// <remarks>So do brokers that keep their metadata with Khepri (seen on 4.3.6); they refuse what is published to it. Others forget the queue at once.</remarks>
    public async Task<bool> IsOutOfReachAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        var confirmed = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
        var channel = await calls.CallAsync(token => connection.CreateChannelAsync(confirmed, token), "open a channel", cancellationToken).ConfigureAwait(false);
        await using (channel.Ending().ConfigureAwait(false))
        {
            try
            {
                // Means nothing to who reads it.
                await calls.CallAsync(token => channel.BasicPublishAsync("", queue, mandatory: false, new BasicProperties(), ReadOnlyMemory<byte>.Empty, token).AsTask(), $"reach {queue}", cancellationToken).ConfigureAwait(false);
                return false;
            }
            catch (QueueException error) when (BrokerFailures.IsRefused(error))
            {
                return true;
            }
        }
    }

    /// <summary>Waits until nobody consumes the queue any more: then all that its last consumer had is back in it.</summary>
    /// <exception cref="QueueException">Somebody still does.</exception>
    public async Task AwaitNoConsumerAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            uint consumers = 0;
            await calls.TryAsync(connection, async channel => consumers = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).ConsumerCount, cancellationToken).ConfigureAwait(false);
            if (consumers == 0)
                return;
            if (Stopwatch.GetElapsedTime(since) >= BrokerCalls.Limit)
                throw calls.Failure(QueueFailure.Unavailable, $"somebody else consumes {queue}, which is this node's alone. End that one.");
            await Task.Delay(s_consumerPause, cancellationToken).ConfigureAwait(false);
        }
    }
}
