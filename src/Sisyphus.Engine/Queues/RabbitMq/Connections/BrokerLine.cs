using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>A connection that is opened when it is first needed, and anew after it was lost. What hung on the lost one is lost with it.</summary>
internal sealed class BrokerLine(BrokerConnector connector, BrokerCalls calls, string purpose) : IAsyncDisposable
{
    private static readonly TimeSpan s_closeTime = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile IConnection? _connection;
    private volatile AttemptSockets? _sockets;
    private volatile string? _blocked;
    private volatile string? _lost;
    private bool _disposed;

    /// <summary>Why the broker takes nothing for now; null when it does.</summary>
    public string? Blocked => _connection is { IsOpen: true } ? _blocked : null;

    /// <summary>Why there is no connection, of one that was lost or could not be made; without secrets.</summary>
    public string? Lost => _connection is { IsOpen: true } ? null : _lost;

    /// <exception cref="QueueException">There is none to be had.</exception>
    public async Task<IConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_connection is { IsOpen: true } open)
            return open;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connection is { IsOpen: true } opened)
                return opened;
            await DropAsync().ConfigureAwait(false);
            var connection = await connector.ConnectAsync(purpose, sockets => _sockets = sockets, cancellationToken).ConfigureAwait(false);
            _blocked = _lost = null;
            connection.ConnectionShutdownAsync += OnShutdown;
            connection.ConnectionBlockedAsync += OnBlocked;
            connection.ConnectionUnblockedAsync += OnUnblocked;
            return _connection = connection;
        }
        catch (QueueException error)
        {
            _lost = error.Message;
            throw;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>A channel without confirms.</summary>
    public Task<IChannel> OpenChannelAsync(CancellationToken cancellationToken) =>
        OpenChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false), cancellationToken);

    public async Task<IChannel> OpenChannelAsync(CreateChannelOptions options, CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        return await calls.CallAsync(token => connection.CreateChannelAsync(options, token), "open a channel", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Cut without a word, as when the process is killed.</summary>
    public void Cut() => _sockets?.Close();

    public async ValueTask DisposeAsync()
    {
        await _one.WaitAsync().ConfigureAwait(false);
        try
        {
            _disposed = true;
            await DropAsync().ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task DropAsync()
    {
        if (_connection is not { } connection)
            return;
        _connection = null;
        // Never throws, and ends by itself where the broker does not answer any more.
        await connection.AbortAsync(s_closeTime).ConfigureAwait(false);
        await connection.DisposeAsync().AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private Task OnShutdown(object sender, ShutdownEventArgs reason)
    {
        if (reason.Initiator != ShutdownInitiator.Application)
            _lost = calls.Explain(reason.Exception ?? new OperationInterruptedException(reason), "keep its connection").Message;
        return Task.CompletedTask;
    }

    private Task OnBlocked(object sender, ConnectionBlockedEventArgs blocked)
    {
        _blocked = blocked.Reason;
        return Task.CompletedTask;
    }

    private Task OnUnblocked(object sender, AsyncEventArgs unblocked)
    {
        _blocked = null;
        return Task.CompletedTask;
    }
}
