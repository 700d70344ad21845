using System.Threading.Channels;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>A reader's own queue for what tasks write, and the latest of it. For a reader who is slow the oldest is thrown away, here and on the broker.</summary>
internal sealed class OutputInbox(IChannel channel) : IAsyncDisposable
{
    private const int MaxBatches = 128;
    private const int MaxBytes = 4 << 20;

    private readonly Channel<OutputBatch> _batches = Channel.CreateBounded<OutputBatch>(new BoundedChannelOptions(MaxBatches) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>Completes when the queue is lost.</summary>
    public ChannelReader<OutputBatch> Batches => _batches.Reader;

    /// <exception cref="QueueException"/>
    public static async Task<OutputInbox> OpenAsync(BrokerParts parts, IReadOnlyList<string> taskIds, CancellationToken cancellationToken)
    {
        var channel = await parts.Reading.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
        var inbox = new OutputInbox(channel);
        try
        {
            // Under a name of the broker's choice; gone with this channel, its only consumer.
            var queue = await parts.Calls.CallAsync(
                token => channel.QueueDeclareAsync(
                    "",
                    durable: false,
                    exclusive: true,
                    autoDelete: true,
                    new Dictionary<string, object?> { ["x-max-length"] = MaxBatches, ["x-max-length-bytes"] = MaxBytes, ["x-overflow"] = "drop-head" },
                    cancellationToken: token),
                "declare a queue for the output of tasks",
                cancellationToken).ConfigureAwait(false);
            foreach (var id in taskIds)
                await parts.Calls.CallAsync(token => channel.QueueBindAsync(queue.QueueName, parts.Names.Bus, QueueNames.OutputKey(id), cancellationToken: token), $"bind to {parts.Names.Bus}", cancellationToken).ConfigureAwait(false);
            var sink = new MessageSink(channel, queue.QueueName, inbox.ArriveAsync, _ => inbox._batches.Writer.TryComplete());
            await parts.Calls.CallAsync(token => channel.BasicConsumeAsync(queue.QueueName, autoAck: true, sink, token), "read the output of tasks", cancellationToken).ConfigureAwait(false);
            return inbox;
        }
        catch
        {
            await inbox.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await channel.EndAsync().ConfigureAwait(false);

    private Task ArriveAsync(Incoming message)
    {
        if (OutputJson.Read(message.Body.Span) is { } batch)
            _batches.Writer.TryWrite(batch);
        return Task.CompletedTask;
    }
}
