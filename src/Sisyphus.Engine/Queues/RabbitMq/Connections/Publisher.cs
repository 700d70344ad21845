using System.Collections.Concurrent;
using System.Diagnostics;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>Publishes persistently, with the broker's confirmation of each message and many of them on their way.</summary>
internal sealed class Publisher(BrokerLine line, BrokerCalls calls) : IAsyncDisposable
{
    /// <summary>Measured: fewer wait for the broker, more gain nothing.</summary>
    private const int MaxUnconfirmed = 512;

    /// <summary>A quorum queue without a leader refuses what comes first, and has a new one in less than a second.</summary>
    private static readonly TimeSpan[] s_refusedPauses = [TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    /// <summary>How soon who does not wait hears that the broker takes nothing.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _unconfirmed = new(MaxUnconfirmed, MaxUnconfirmed);
    private readonly SemaphoreSlim _one = new(1, 1);
    // With the time at which each was left: others may wait for confirmations on it.
    private readonly ConcurrentQueue<(IChannel Channel, long Left)> _left = [];
    private volatile IChannel? _channel;
    private long _opened;

    /// <summary>How long a confirmation is waited for.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The same, where the broker does not say that it takes nothing for now.</summary>
    public TimeSpan UnblockedLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether a message that no queue got is the last one of its channel.</summary>
    public bool LeavesReturned { get; init; }

    /// <summary>Returns when the broker has the message on durable storage.</summary>
    /// <param name="mandatory">A message that no queue gets is an error.</param>
    /// <exception cref="QueueException">With a <see cref="PublishReturnException"/> inside where there is no such queue; with <see cref="QueueFailure.Unavailable"/> it may or may not have arrived.</exception>
    public Task PublishAsync(string exchange, string key, BasicProperties properties, ReadOnlyMemory<byte> body, bool mandatory, CancellationToken cancellationToken) =>
        PublishAsync(exchange, key, properties, body, mandatory, waits: true, cancellationToken);

    /// <param name="waits">For a broker that says that it takes nothing for now; else that is <see cref="QueueFailure.Full"/> at once.</param>
    /// <inheritdoc cref="PublishAsync(string, string, BasicProperties, ReadOnlyMemory{byte}, bool, CancellationToken)"/>
    public async Task PublishAsync(string exchange, string key, BasicProperties properties, ReadOnlyMemory<byte> body, bool mandatory, bool waits, CancellationToken cancellationToken)
    {
        // A channel could not be opened either.
        if (!waits && line.Blocked is { } reason)
            throw calls.Blocked(Doing(exchange, key), reason);
        for (var refused = 0; ; refused++)
        {
            try
            {
                await PublishOnceAsync(exchange, key, properties, body, mandatory, waits, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (QueueException error) when (BrokerFailures.IsRefused(error) && refused < s_refusedPauses.Length)
            {
                await Task.Delay(s_refusedPauses[refused], cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What is published from now on goes over a new channel, unless the one there is has not reached that age.</summary>
    public void Renew(TimeSpan age)
    {
        if (_channel is { } channel && Stopwatch.GetElapsedTime(Volatile.Read(ref _opened)) >= age)
            Leave(channel);
    }

    /// <summary>Channel of what is published next.</summary>
    public async Task<IChannel> OpenAsync(CancellationToken cancellationToken)
    {
        if (_channel is { IsOpen: true } open)
            return open;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_channel is { IsOpen: true } opened)
                return opened;
            if (_channel is { } closed)
                await closed.EndAsync().ConfigureAwait(false);
            while (_left.TryPeek(out var oldest) && Stopwatch.GetElapsedTime(oldest.Left) > Limit && _left.TryDequeue(out var left))
                await left.Channel.EndAsync().ConfigureAwait(false);
            Volatile.Write(ref _opened, Stopwatch.GetTimestamp());
            // The limiter of the client costs most of the speed; the dispatch concurrency is lost when it is left out.
            return _channel = await line.OpenChannelAsync(
                new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true, outstandingPublisherConfirmationsRateLimiter: null, consumerDispatchConcurrency: 1),
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is { } channel)
            await channel.EndAsync().ConfigureAwait(false);
        while (_left.TryDequeue(out var left))
            await left.Channel.EndAsync().ConfigureAwait(false);
        _unconfirmed.Dispose();
        _one.Dispose();
    }

    private async Task PublishOnceAsync(string exchange, string key, BasicProperties properties, ReadOnlyMemory<byte> body, bool mandatory, bool waits, CancellationToken cancellationToken)
    {
        await _unconfirmed.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var channel = await OpenAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await PublishAsync(channel, exchange, key, properties, body, mandatory, waits, cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException error) when (BrokerFailures.IsRefused(error) || (BrokerFailures.IsMissing(error) ? LeavesReturned : error.Failure == QueueFailure.Unavailable && channel.IsOpen))
            {
                // Not confirmed in time counts as well.
                Leave(channel);
                throw;
            }
        }
        finally
        {
            _unconfirmed.Release();
        }
    }

    /// <summary>On 3.10 a channel that first met a quorum queue while that had no leader asks the lost one for as long as it is open.</summary>
    private void Leave(IChannel channel)
    {
        if (Interlocked.CompareExchange(ref _channel, null, channel) == channel)
            _left.Enqueue((channel, Stopwatch.GetTimestamp()));
    }

    private static string Doing(string exchange, string key) => $"publish to {(exchange.Length > 0 ? exchange : key)}";

    private async Task PublishAsync(IChannel channel, string exchange, string key, BasicProperties properties, ReadOnlyMemory<byte> body, bool mandatory, bool waits, CancellationToken cancellationToken)
    {
        var doing = Doing(exchange, key);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        var publishing = channel.BasicPublishAsync(exchange, key, mandatory, properties, body, limit.Token).AsTask();
        try
        {
            for (var silent = Stopwatch.GetTimestamp(); ;)
            {
                await publishing.WaitAsync(waits ? UnblockedLimit : s_look, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (publishing.IsCompleted)
                    break;
                // A broker that says nothing is given less time than one that says why.
                if (line.Blocked is null ? Stopwatch.GetElapsedTime(silent) >= UnblockedLimit : !waits)
                    await limit.CancelAsync().ConfigureAwait(false);
                limit.Token.ThrowIfCancellationRequested();
                if (line.Blocked is not null)
                    silent = Stopwatch.GetTimestamp();
            }
            await publishing.ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _ = publishing.ContinueWith(late => late.Exception, TaskScheduler.Default);
            cancellationToken.ThrowIfCancellationRequested();
            throw limit.IsCancellationRequested && line.Blocked is { } blocked ? calls.Blocked(doing, blocked) : calls.Explain(error, doing);
        }
    }
}
