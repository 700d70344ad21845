using System.Collections.Concurrent;
using System.Diagnostics;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Sees to it that what is needed is there on the broker: what is there already is used as it is, what is missing is declared.</summary>
/// <remarks>To ask whether a queue is there needs no right, so that all may have been declared by an administrator.</remarks>
internal sealed class Topology(BrokerAddress address, QueueNames names, QueueOptions options, BrokerCalls calls)
{
    public static readonly TimeSpan PassedOverDelay = TimeSpan.FromSeconds(3);
    /// <summary>Without a limit newer brokers give up a message after 20 deliveries; -1 means the opposite on older ones.</summary>
    private const int DeliveryLimit = 1_000_000;
    private static readonly TimeSpan s_leaseQueueLife = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_longestRecovery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_recoveryPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_consumerPause = TimeSpan.FromMilliseconds(50);
    private const long MaxEventBytes = 4L << 30;
    private const long EventSegmentBytes = 64L << 20;
    private const long MaxHeartbeatBytes = 4L << 20;
    private const long HeartbeatSegmentBytes = 1L << 20;

    private readonly ConcurrentDictionary<string, Lazy<Task>> _known = [];

    /// <summary>Forgets what is there: after a broker's restart it may not be.</summary>
    public void Forget() => _known.Clear();

    /// <summary>For who reads or sends.</summary>
    public Task EnsureLogAsync(IConnection connection, CancellationToken cancellationToken) => OnceAsync("log", async () =>
    {
        await EnsureExchangeAsync(connection, names.Bus, ExchangeType.Topic, durable: true, cancellationToken).ConfigureAwait(false);
        // Bound in any case: whoever declared it may not have come to that yet.
        await EnsureStreamAsync(connection, names.Events, options.Retention, MaxEventBytes, EventSegmentBytes, cancellationToken).ConfigureAwait(false);
        foreach (var keys in (string[])["task.#", "tasks.#", "node.#"])
            await BindAsync(connection, names.Events, names.Bus, keys, cancellationToken).ConfigureAwait(false);
        await EnsureStreamAsync(connection, names.Heartbeats, TimeSpan.FromHours(1), MaxHeartbeatBytes, HeartbeatSegmentBytes, cancellationToken).ConfigureAwait(false);
        await BindAsync(connection, names.Heartbeats, names.Bus, "heartbeat.#", cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Also at each connect: the original's exchange does not survive a restart of the broker. Who claims does it later where the queue is on a member that is down.</summary>
    public async Task EnsureExchangeAsync(IConnection connection, CancellationToken cancellationToken)
    {
        _known.TryRemove(names.Main, out _);
        try
        {
            await EnsureLaneAsync(connection, Lane.Main, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (BrokerFailures.IsDown(error))
        {
            // What is held, and what waits elsewhere, goes on without it.
        }
    }

    /// <returns>The lane's queue.</returns>
    public Task<string> EnsureLaneAsync(IConnection connection, Lane lane, CancellationToken cancellationToken) => EnsureLaneAsync(connection, lane, s_longestRecovery, cancellationToken);

    /// <param name="patience">How long a queue is waited for that is there, and down.</param>
    /// <returns>The lane's queue.</returns>
    public async Task<string> EnsureLaneAsync(IConnection connection, Lane lane, TimeSpan patience, CancellationToken cancellationToken)
    {
        var queue = names.Lane(lane.Workflow, lane.Priority);
        var isOriginal = lane.Priority == Lane.Main.Priority;
        await OnceAsync(queue, async () =>
        {
            // The original declares its queues without arguments, and would be refused where they have some.
            if (isOriginal && address.QueueKind != BrokerQueueKind.Quorum)
                await EnsureQueueAsync(connection, queue, [[]], patience, cancellationToken).ConfigureAwait(false);
            else
                await EnsureQueueAsync(connection, queue, Kinds([]), patience, cancellationToken).ConfigureAwait(false);
            if (!isOriginal)
                return;
            await OfferAsync(connection, queue, names.LaneKey(lane.Workflow), cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return queue;
    }

    public Task EnsurePlainAsync(IConnection connection, string queue, CancellationToken cancellationToken) => EnsurePlainAsync(connection, queue, s_longestRecovery, cancellationToken);

    /// <param name="patience">As for <see cref="EnsureLaneAsync(IConnection, Lane, TimeSpan, CancellationToken)"/>.</param>
    public Task EnsurePlainAsync(IConnection connection, string queue, TimeSpan patience, CancellationToken cancellationToken) =>
        OnceAsync(queue, () => EnsureQueueAsync(connection, queue, Kinds([]), patience, cancellationToken));

    /// <summary>A queue whose messages go on to <see cref="QueueNames.Returns"/> when their time is over.</summary>
    public Task EnsureDelayAsync(IConnection connection, string queue, TimeSpan delay, CancellationToken cancellationToken) => OnceAsync(queue, async () =>
    {
        await EnsurePlainAsync(connection, names.Returns, cancellationToken).ConfigureAwait(false);
        await EnsureQueueAsync(connection, queue, Delaying(delay), s_longestRecovery, cancellationToken).ConfigureAwait(false);
    });

    /// <summary>The lease queue of a node. It goes by itself when there has been no node of the name for a day and the leases have run out long ago.</summary>
    public async Task EnsureLeaseQueueAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        await EnsurePlainAsync(connection, names.Returns, cancellationToken).ConfigureAwait(false);
        var kinds = Delaying(options.LeaseTime);
        foreach (var kind in kinds)
            kind["x-expires"] = (long)(options.LeaseTime + s_leaseQueueLife).TotalMilliseconds;
        await EnsureQueueAsync(connection, queue, kinds, s_longestRecovery, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until nobody consumes the queue any more: then all that its last consumer had is back in it.</summary>
    public async Task AwaitNoConsumerAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < BrokerCalls.Limit;)
        {
            uint consumers = 0;
            await TryAsync(connection, async channel => consumers = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).ConsumerCount, cancellationToken).ConfigureAwait(false);
            if (consumers == 0)
                return;
            await Task.Delay(s_consumerPause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Which kind of queue the broker allowed.</summary>
    /// <returns>Null where somebody else declared it in his own way, or may alone.</returns>
    public async Task<bool?> IsQuorumAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        foreach (var kind in Kinds([]))
        {
            if (await TryAsync(connection, channel => channel.QueueDeclareAsync(queue, true, false, false, kind, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false) is null)
                return kind.ContainsKey("x-queue-type");
        }
        return null;
    }

    /// <returns>Messages that wait in the queue; null when there is no such queue.</returns>
    public async Task<uint?> CountAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        uint count = 0;
        var error = await TryAsync(connection, async channel => count = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).MessageCount, cancellationToken).ConfigureAwait(false);
        return error is null ? count : error.ShutdownReason?.ReplyCode == Constants.NotFound ? null : throw calls.Explain(error, $"ask for {queue}");
    }

    /// <summary>Whether somebody has the queue for himself: as the only one who may have it at all, or where an administrator declared it as its only consumer.</summary>
    public async Task<bool> IsTakenAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        uint consumers = 0;
        var error = await TryAsync(connection, async channel => consumers = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken).ConfigureAwait(false)).ConsumerCount, cancellationToken).ConfigureAwait(false);
        return error is null ? consumers > 0 : error.ShutdownReason?.ReplyCode == Constants.ResourceLocked;
    }

    private List<Dictionary<string, object?>> Delaying(TimeSpan delay)
    {
        var common = new Dictionary<string, object?>
        {
            ["x-message-ttl"] = (long)delay.TotalMilliseconds,
            ["x-dead-letter-exchange"] = "",
            ["x-dead-letter-routing-key"] = names.Returns,
        };
        var kinds = Kinds(common);
        foreach (var quorum in kinds.Where(kind => kind.ContainsKey("x-queue-type")))
        {
            quorum["x-dead-letter-strategy"] = "at-least-once";
            quorum["x-overflow"] = "reject-publish";
        }
        return kinds;
    }

    /// <summary>The ways to declare a queue, the best first.</summary>
    private List<Dictionary<string, object?>> Kinds(Dictionary<string, object?> common)
    {
        var classic = new Dictionary<string, object?>(common);
        if (address.QueueKind == BrokerQueueKind.Classic)
            return [classic];
        var quorum = new Dictionary<string, object?>(common) { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = DeliveryLimit };
        return address.QueueKind == BrokerQueueKind.Quorum ? [quorum] : [quorum, classic];
    }

    private Task EnsureStreamAsync(IConnection connection, string stream, TimeSpan retention, long bytes, long segmentBytes, CancellationToken cancellationToken) =>
        EnsureQueueAsync(
            connection,
            stream,
            [new Dictionary<string, object?>
            {
                ["x-queue-type"] = "stream",
                ["x-max-age"] = $"{(long)Math.Max(60, retention.TotalSeconds)}s",
                ["x-max-length-bytes"] = bytes,
                ["x-stream-max-segment-size-bytes"] = segmentBytes,
            }],
            s_longestRecovery,
            cancellationToken);

    private async Task EnsureQueueAsync(IConnection connection, string queue, IReadOnlyList<Dictionary<string, object?>> kinds, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (await IsThereAsync(connection, queue, patience, cancellationToken).ConfigureAwait(false))
            return;
        OperationInterruptedException? error = null;
        foreach (var kind in kinds)
        {
            error = await TryAsync(connection, channel => channel.QueueDeclareAsync(queue, true, false, false, kind, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
            if (error is null)
                return;
            // Somebody else declared it in this moment, with other arguments than ours: theirs it is.
            if (await IsThereAsync(connection, queue, patience, cancellationToken).ConfigureAwait(false))
                return;
            if (error.ShutdownReason?.ReplyCode == Constants.AccessRefused)
                break;
        }
        throw calls.Explain(error!, $"declare the {(kinds.Any(kind => kind.ContainsValue("stream")) ? "stream" : "queue")} {queue}");
    }

    /// <summary>For clients of the original, which send to the exchange; ours don't. Where we may not declare it they do, or the administrator.</summary>
    private async Task OfferAsync(IConnection connection, string queue, string key, CancellationToken cancellationToken)
    {
        try
        {
            await EnsureExchangeAsync(connection, names.Exchange, ExchangeType.Direct, durable: false, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.Failure == QueueFailure.Denied)
        {
            return;
        }
        await BindAsync(connection, queue, names.Exchange, key, cancellationToken).ConfigureAwait(false);
    }

    private async Task EnsureExchangeAsync(IConnection connection, string exchange, string type, bool durable, CancellationToken cancellationToken)
    {
        if (await TryAsync(connection, channel => channel.ExchangeDeclarePassiveAsync(exchange, cancellationToken), cancellationToken).ConfigureAwait(false) is null)
            return;
        if (await TryAsync(connection, channel => channel.ExchangeDeclareAsync(exchange, type, durable, autoDelete: false, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false) is { } error)
            throw calls.Explain(error, $"declare the exchange {exchange}");
    }

    private async Task BindAsync(IConnection connection, string queue, string exchange, string key, CancellationToken cancellationToken)
    {
        var error = await TryAsync(connection, channel => channel.QueueBindAsync(queue, exchange, key, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
        // Without the right to bind it is the administrator who did.
        if (error is not null && error.ShutdownReason?.ReplyCode != Constants.AccessRefused)
            throw calls.Explain(error, $"bind {queue} to {exchange}");
    }

    private async Task<bool> IsThereAsync(IConnection connection, string queue, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            var error = await TryAsync(connection, channel => channel.QueueDeclarePassiveAsync(queue, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (error is null)
                return true;
            // A broker that has just started does not have all of its queues at once; and what a member has that is down must not be declared again.
            var isDown = BrokerFailures.IsDown(error);
            if (!isDown && error.ShutdownReason?.ReplyCode == Constants.NotFound)
                return false;
            if (!isDown || Stopwatch.GetElapsedTime(since) >= patience)
                throw calls.Explain(error, $"ask for the queue {queue}");
            await Task.Delay(s_recoveryPause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>On a channel of its own, since a refusal closes the channel.</summary>
    /// <returns>Null when it was done.</returns>
    private async Task<OperationInterruptedException?> TryAsync(IConnection connection, Func<IChannel, Task> act, CancellationToken cancellationToken)
    {
        var channel = await calls.CallAsync(token => connection.CreateChannelAsync(cancellationToken: token), "open a channel", cancellationToken).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                await act(channel).WaitAsync(BrokerCalls.Limit, cancellationToken).ConfigureAwait(false);
                return null;
            }
            catch (OperationInterruptedException error) when (connection.IsOpen)
            {
                return error;
            }
            catch (Exception error)
            {
                // Also the client's own time limits end as if somebody had canceled.
                cancellationToken.ThrowIfCancellationRequested();
                throw calls.Explain(error, "declare its queues");
            }
        }
    }

    private async Task OnceAsync(string what, Func<Task> ensure)
    {
        while (true)
        {
            var ours = new Lazy<Task>(ensure);
            var ensuring = _known.GetOrAdd(what, ours);
            try
            {
                await ensuring.Value.ConfigureAwait(false);
                return;
            }
            catch (Exception error)
            {
                _known.TryRemove(new KeyValuePair<string, Lazy<Task>>(what, ensuring));
                // Somebody else lost patience with what he had begun, not we.
                if (error is not OperationCanceledException || ensuring == ours)
                    throw;
            }
        }
    }
}
