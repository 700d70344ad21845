using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>Removes messages whose headers the client can't read, though the broker takes them: it closes the connection over them, and they would come again for ever.</summary>
/// <remarks>A decimal number with more than 28 places is one: AMQP 0.9.1 allows 255 (4.2.5.4).</remarks>
internal sealed class Unreadable(BrokerParts parts)
{
    private const string Purpose = "remove what nobody can read";
    /// <summary>Of one queue in one go.</summary>
    private const int Most = 100;

    /// <summary>What stands at the head of the queues, where it is what ended the connection.</summary>
    public async Task RemoveAsync(IEnumerable<string> queues, CancellationToken cancellationToken)
    {
        foreach (var queue in queues)
        {
            for (var i = 0; i < Most && await RemoveAsync(queue, cancellationToken).ConfigureAwait(false); i++)
            {
                // The next one may be like it.
            }
        }
    }

    private async Task<bool> RemoveAsync(string queue, CancellationToken cancellationToken)
    {
        if ((await GetAsync(queue, autoAck: false, cancellationToken).ConfigureAwait(false)).Reason is null)
            return false;
        var (message, reason) = await GetAsync(queue, autoAck: true, cancellationToken).ConfigureAwait(false);
        if (message is not null)
        {
            // Another node was quicker, and this is the one behind it.
            await parts.Publisher.PublishAsync("", queue, new BasicProperties(message.BasicProperties), message.Body, mandatory: true, CancellationToken.None).ConfigureAwait(false);
            return false;
        }
        if (reason is null)
            return false;
        var note = new LetterNote
        {
            State = FailureReason.InvalidDocument.ToState(), Reason = FailureReason.InvalidDocument, Finished = parts.Now,
            Message = $"A message of {queue} had headers that can't be read ({reason}). It was removed, and its content with it.",
        };
        await parts.Letters.PutAsync(new Ticket { Id = TaskId.New(), Lane = parts.Names.Main, Sent = parts.Now }, note, ReadOnlyMemory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
        return true;
    }

    /// <summary>On a connection of its own, for it may end. What is not acknowledged is back in its place then.</summary>
    /// <returns>The message, or why it can't be read, or neither where there is none.</returns>
    private async Task<(BasicGetResult? Message, string? Reason)> GetAsync(string queue, bool autoAck, CancellationToken cancellationToken)
    {
        var line = new BrokerLine(parts.Connector, parts.Calls, Purpose);
        await using (line.ConfigureAwait(false))
        {
            var connection = await line.ConnectAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var channel = await line.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
                return (await parts.Calls.GetAsync(channel, queue, autoAck, $"look into {queue}", cancellationToken).ConfigureAwait(false), null);
            }
            catch (QueueException error)
            {
                if (BrokerReplies.IsUnreadable(connection.CloseReason))
                {
                    // It reads nothing any more, so that a farewell would be waited for in vain.
                    line.Cut();
                    return (null, connection.CloseReason!.ReplyText);
                }
                // A queue that is not there, or not ours to read, closes the channel only.
                if (connection.IsOpen && error.Failure != QueueFailure.Full)
                    return (null, null);
                throw;
            }
        }
    }
}
