using System.Diagnostics;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>How something comes to be there on the broker: what is there already is used as it is, what is missing is declared.</summary>
/// <remarks>To ask whether it is there needs no right, so that all may have been declared by an administrator.</remarks>
internal sealed class Declarations(BrokerAddress address, BrokerConnector connector, BrokerCalls calls)
{
    private static readonly TimeSpan s_recoveryPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Null as long as nobody has asked it for one.</summary>
    private volatile object? _allowsQuorum;

    /// <summary>Whether the broker was asked for a quorum queue, and has none.</summary>
    public bool RefusesQuorum => _allowsQuorum is false;

    /// <summary>Asks for quorum queues again when there is a need: an administrator may have enabled them.</summary>
    public void Forget() => _allowsQuorum = null;

    /// <param name="kinds">The ways to declare it, the best first.</param>
    /// <param name="patience">How long a queue is waited for that is there, and down.</param>
    public async Task EnsureQueueAsync(IConnection connection, string queue, IReadOnlyList<Dictionary<string, object?>> kinds, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (await IsThereAsync(connection, queue, patience, cancellationToken).ConfigureAwait(false))
            return;
        OperationInterruptedException? error = null;
        foreach (var kind in Allowed(kinds))
        {
            error = await TryDeclareAsync(connection, queue, kind, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Which kind of queue the broker allowed.</summary>
    /// <returns>Null where somebody else declared it in his own way, or may alone.</returns>
    public async Task<bool?> IsQuorumAsync(IConnection connection, string queue, IReadOnlyList<Dictionary<string, object?>> kinds, CancellationToken cancellationToken)
    {
        foreach (var kind in Allowed(kinds))
        {
            if (await TryDeclareAsync(connection, queue, kind, cancellationToken).ConfigureAwait(false) is null)
                return QueueKinds.IsQuorum(kind);
        }
        return null;
    }

    public async Task EnsureExchangeAsync(IConnection connection, string exchange, string type, bool durable, CancellationToken cancellationToken)
    {
        if (await calls.TryAsync(connection, channel => channel.ExchangeDeclarePassiveAsync(exchange, cancellationToken), cancellationToken).ConfigureAwait(false) is null)
            return;
        if (await calls.TryAsync(connection, channel => channel.ExchangeDeclareAsync(exchange, type, durable, autoDelete: false, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false) is { } error)
            throw calls.Explain(error, $"declare the exchange {exchange}");
    }

    public async Task BindAsync(IConnection connection, string queue, string exchange, string key, CancellationToken cancellationToken)
    {
        var error = await calls.TryAsync(connection, channel => channel.QueueBindAsync(queue, exchange, key, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
        // Without the right to bind it is the administrator who did.
        if (error is not null && error.ShutdownReason?.ReplyCode != Constants.AccessRefused)
            throw calls.Explain(error, $"bind {queue} to {exchange}");
    }

    private IEnumerable<Dictionary<string, object?>> Allowed(IReadOnlyList<Dictionary<string, object?>> kinds) => kinds.Where(kind => !RefusesQuorum || !QueueKinds.IsQuorum(kind));

    /// <returns>Null when it was declared.</returns>
    private async Task<OperationInterruptedException?> TryDeclareAsync(IConnection connection, string queue, Dictionary<string, object?> kind, CancellationToken cancellationToken)
    {
        Task<OperationInterruptedException?> DeclareAsync(IConnection through) =>
            calls.TryAsync(through, channel => channel.QueueDeclareAsync(queue, true, false, false, kind, cancellationToken: cancellationToken), cancellationToken);

        if (!QueueKinds.IsQuorum(kind) || address.QueueKind != BrokerQueueKind.Auto || _allowsQuorum is true)
            return await DeclareAsync(connection).ConfigureAwait(false);
        // A broker without them closes the connection of who asks for one, with all that others have on it.
        var apart = await connector.ConnectAsync("ask for quorum queues", cancellationToken).ConfigureAwait(false);
        await using (apart.ConfigureAwait(false))
        {
            try
            {
                var error = await DeclareAsync(apart).ConfigureAwait(false);
                if (error is null)
                    _allowsQuorum = true;
                return error;
            }
            catch (QueueException refused) when (BrokerReplies.LacksKind(refused.InnerException) is { } error)
            {
                _allowsQuorum = false;
                return error;
            }
        }
    }

    private async Task<bool> IsThereAsync(IConnection connection, string queue, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            var error = await calls.TryAsync(connection, channel => channel.QueueDeclarePassiveAsync(queue, cancellationToken), cancellationToken).ConfigureAwait(false);
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
}
