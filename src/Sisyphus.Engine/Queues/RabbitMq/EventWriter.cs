using System.Text.Json;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Writes on the bus, confirmed; what is of tasks and nodes is kept by the stream then.</summary>
internal sealed class EventWriter(Publisher publisher, BrokerLine line, Topology topology, QueueNames names)
{
    public Task WriteAsync(LogEntry entry, CancellationToken cancellationToken) => PublishAsync(names.Bus, entry.Key, [entry], cancellationToken);

    /// <summary>At most <see cref="StreamMessage.MaxEntries"/>, of tasks that were sent.</summary>
    public Task WriteSentAsync(LogEntry[] entries, CancellationToken cancellationToken) => PublishAsync(names.Bus, "tasks.sent", entries, cancellationToken);

    /// <summary>To one stream alone.</summary>
    public Task WriteMarkerAsync(string stream, LogEntry entry, CancellationToken cancellationToken) => PublishAsync("", stream, [entry], cancellationToken);

    private async Task PublishAsync(string exchange, string key, LogEntry[] entries, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(entries, Wire.Json.LogEntryArray);
        var properties = new BasicProperties { ContentType = "application/json", DeliveryMode = DeliveryModes.Persistent };
        try
        {
            await publisher.PublishAsync(exchange, key, properties, body, mandatory: true, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (BrokerFailures.IsMissing(error))
        {
            // Somebody deleted the bus or a stream.
            topology.Forget();
            await topology.EnsureLogAsync(await line.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            await publisher.PublishAsync(exchange, key, properties, body, mandatory: true, cancellationToken).ConfigureAwait(false);
        }
    }
}
