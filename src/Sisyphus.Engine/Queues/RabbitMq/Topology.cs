using System.Collections.Concurrent;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>What has to be there on the broker, each once in the life of a connection.</summary>
internal sealed class Topology(BrokerAddress address, QueueNames names, QueueOptions options, BrokerConnector connector, BrokerCalls calls)
{
    public static readonly TimeSpan PassedOverDelay = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_leaseQueueLife = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_longestRecovery = TimeSpan.FromSeconds(10);
    private const long MaxEventBytes = 4L << 30;
    private const long EventSegmentBytes = 64L << 20;
    private const long MaxHeartbeatBytes = 4L << 20;
    private const long HeartbeatSegmentBytes = 1L << 20;

    private readonly ConcurrentDictionary<string, Lazy<Task>> _known = [];
    private readonly Declarations _declarations = new(address, connector, calls);
    private readonly QueueKinds _kinds = new(address.QueueKind);

    /// <inheritdoc cref="Declarations.RefusesQuorum"/>
    public bool RefusesQuorum => _declarations.RefusesQuorum;

    /// <summary>Forgets what is there: after a broker's restart it may not be.</summary>
    public void Forget()
    {
        _known.Clear();
        _declarations.Forget();
    }

    /// <summary>For who reads or sends.</summary>
    public Task EnsureLogAsync(IConnection connection, CancellationToken cancellationToken) => OnceAsync("log", async () =>
    {
        await _declarations.EnsureExchangeAsync(connection, names.Bus, ExchangeType.Topic, durable: true, cancellationToken).ConfigureAwait(false);
        // Bound in any case: whoever declared it may not have come to that yet.
        await _declarations.EnsureQueueAsync(connection, names.Events, [QueueKinds.Stream(options.Retention, MaxEventBytes, EventSegmentBytes)], s_longestRecovery, cancellationToken).ConfigureAwait(false);
        foreach (var keys in (string[])["task.#", "tasks.#", "node.#"])
            await _declarations.BindAsync(connection, names.Events, names.Bus, keys, cancellationToken).ConfigureAwait(false);
        await _declarations.EnsureQueueAsync(connection, names.Heartbeats, [QueueKinds.Stream(TimeSpan.FromHours(1), MaxHeartbeatBytes, HeartbeatSegmentBytes)], s_longestRecovery, cancellationToken).ConfigureAwait(false);
        await _declarations.BindAsync(connection, names.Heartbeats, names.Bus, $"{QueueNames.HeartbeatKey}.#", cancellationToken).ConfigureAwait(false);
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
            await _declarations.EnsureQueueAsync(connection, queue, isOriginal ? _kinds.Original() : _kinds.Plain(), patience, cancellationToken).ConfigureAwait(false);
            if (isOriginal)
                await OfferAsync(connection, queue, names.LaneKey(lane.Workflow), cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return queue;
    }

    public Task EnsurePlainAsync(IConnection connection, string queue, CancellationToken cancellationToken) => EnsurePlainAsync(connection, queue, s_longestRecovery, cancellationToken);

    /// <param name="patience">As for <see cref="EnsureLaneAsync(IConnection, Lane, TimeSpan, CancellationToken)"/>.</param>
    public Task EnsurePlainAsync(IConnection connection, string queue, TimeSpan patience, CancellationToken cancellationToken) =>
        OnceAsync(queue, () => _declarations.EnsureQueueAsync(connection, queue, _kinds.Plain(), patience, cancellationToken));

    /// <summary>A queue whose messages go on to <see cref="QueueNames.Returns"/> when their time is over.</summary>
    public Task EnsureDelayAsync(IConnection connection, string queue, TimeSpan delay, CancellationToken cancellationToken) => OnceAsync(queue, async () =>
    {
        await EnsurePlainAsync(connection, names.Returns, cancellationToken).ConfigureAwait(false);
        await _declarations.EnsureQueueAsync(connection, queue, _kinds.Delaying(delay, names.Returns), s_longestRecovery, cancellationToken).ConfigureAwait(false);
    });

    /// <summary>The lease queue of a node. It goes by itself when there has been no node of the name for a day and the leases have run out long ago.</summary>
    public async Task EnsureLeaseQueueAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        await EnsurePlainAsync(connection, names.Returns, cancellationToken).ConfigureAwait(false);
        var kinds = _kinds.Delaying(options.LeaseTime, names.Returns);
        foreach (var kind in kinds)
            kind["x-expires"] = (long)(options.LeaseTime + s_leaseQueueLife).TotalMilliseconds;
        await _declarations.EnsureQueueAsync(connection, queue, kinds, s_longestRecovery, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="Declarations.IsQuorumAsync"/>
    public Task<bool?> IsQuorumAsync(IConnection connection, string queue, CancellationToken cancellationToken) => _declarations.IsQuorumAsync(connection, queue, _kinds.Plain(), cancellationToken);

    /// <summary>For clients of the original, which send to the exchange; ours don't. Where we may not declare it they do, or the administrator.</summary>
    private async Task OfferAsync(IConnection connection, string queue, string key, CancellationToken cancellationToken)
    {
        try
        {
            await _declarations.EnsureExchangeAsync(connection, names.Exchange, ExchangeType.Direct, durable: false, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.Failure == QueueFailure.Denied)
        {
            return;
        }
        await _declarations.BindAsync(connection, queue, names.Exchange, key, cancellationToken).ConfigureAwait(false);
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
