using System.Text.Json;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Writes on the bus, confirmed; what is of tasks and nodes is kept by the stream then.</summary>
/// <remarks>
/// On a channel for each stream, which carries nothing else. When the leader of a stream changes, brokers of 3.x send again what a channel
/// has not confirmed, numbered by all messages of the channel instead of those of the stream. The stream then takes as many later ones for
/// duplicates as the numbers are apart: it confirms them, and keeps none. With one stream a channel the numbers are the same, as long as
/// none comes back. https://github.com/rabbitmq/rabbitmq-server/pull/12236
/// </remarks>
internal sealed class EventWriter(BrokerLine publishing, BrokerCalls calls, BrokerLine line, Topology topology, QueueNames names) : IAsyncDisposable
{
    /// <summary>A channel that first met a stream while it had no leader may never learn of the next one; a stream that has one confirms within milliseconds.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(8);

    private readonly Publisher _events = new(publishing, calls) { LeavesReturned = true, UnblockedLimit = s_limit };
    private readonly Publisher _heartbeats = new(publishing, calls) { LeavesReturned = true, UnblockedLimit = s_limit };

    public Task WriteAsync(LogEntry entry, CancellationToken cancellationToken)
    {
        var stream = entry.Key.StartsWith(QueueNames.HeartbeatKey, StringComparison.Ordinal) ? names.Heartbeats : names.Events;
        return PublishAsync(stream, names.Bus, entry.Key, [entry], waits: true, cancellationToken);
    }

    /// <summary>At most <see cref="StreamMessage.MaxEntries"/>, of tasks that were sent.</summary>
    public async Task WriteSentAsync(LogEntry[] entries, CancellationToken cancellationToken)
    {
        try
        {
            await PublishAsync(names.Events, names.Bus, "tasks.sent", entries, waits: true, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.InnerException is OperationCanceledException && publishing.Blocked is null)
        {
            // Nobody else would say that a task waits; and a reader passes over what he knows.
            await PublishAsync(names.Events, names.Bus, "tasks.sent", entries, waits: true, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>To one stream alone, and not waiting for a broker that takes nothing for now.</summary>
    public Task WriteMarkerAsync(string stream, LogEntry entry, CancellationToken cancellationToken) => PublishAsync(stream, "", stream, [entry], waits: false, cancellationToken);

    /// <inheritdoc cref="Publisher.Renew"/>
    public void Renew(string stream, TimeSpan age) => PublisherOf(stream).Renew(age);

    /// <summary>Whether the broker takes nothing for now, as it has said.</summary>
    public bool IsBlocked => publishing.Blocked is not null;

    /// <summary>Returns when what is written needs no channel to be opened first.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await _events.OpenAsync(cancellationToken).ConfigureAwait(false);
        await _heartbeats.OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync().ConfigureAwait(false);
        await _heartbeats.DisposeAsync().ConfigureAwait(false);
    }

    private Publisher PublisherOf(string stream) => stream == names.Heartbeats ? _heartbeats : _events;

    private async Task PublishAsync(string stream, string exchange, string key, LogEntry[] entries, bool waits, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(entries, Wire.Json.LogEntryArray);
        var publisher = PublisherOf(stream);
        var properties = new BasicProperties { ContentType = "application/json", DeliveryMode = DeliveryModes.Persistent };
        try
        {
            await publisher.PublishAsync(exchange, key, properties, body, mandatory: true, waits, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (BrokerFailures.IsMissing(error))
        {
            // Somebody deleted the bus or a stream.
            topology.Forget();
            await topology.EnsureLogAsync(await line.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            await publisher.PublishAsync(exchange, key, properties, body, mandatory: true, waits, cancellationToken).ConfigureAwait(false);
        }
    }
}
