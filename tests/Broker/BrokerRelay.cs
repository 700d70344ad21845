using System.Net;
using System.Net.Sockets;

namespace Sisyphus.Tests.Broker;

/// <summary>The network between a client and a broker on this machine, to be cut, reset, refused, slowed down and healed. For use from one thread.</summary>
internal sealed class BrokerRelay : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly RelayGate _gate = new();
    private readonly List<RelayedConnection> _connections = [];
    private readonly Lock _lock = new();
    private readonly int _brokerPort;
    private TcpListener? _listener;
    private Task _accepting;

    public BrokerRelay(int brokerPort)
    {
        _brokerPort = brokerPort;
        _accepting = Listen();
    }

    /// <summary>Stays the same when the relay refuses for a while.</summary>
    public int Port { get; } = FreePorts.Next();

    /// <summary>Connections that are there now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _connections.Count(connection => !connection.Relaying.IsCompleted);
        }
    }

    /// <summary>The same address by way of this relay.</summary>
    public Uri Through(Uri address) => new UriBuilder(address) { Port = Port }.Uri;

    /// <summary>
    /// Drops what goes that way without a word to either side, ends of connections too, as a cut cable does. New connections are taken and
    /// stay silent. As with TCP, nothing that a side sent is gone: it arrives after <see cref="Heal"/>, if the connection lives so long.
    /// </summary>
    public void Cut(RelayDirection direction = RelayDirection.Both) => _gate.Closed = direction;

    /// <summary>Everything arrives later by this, each way.</summary>
    public void Delay(TimeSpan delay) => _gate.Delay = delay;

    /// <summary>The first bytes to the broker of which it says so stay here, and all that follow them on their connection; other connections go on.</summary>
    public void StopAt(Func<ReadOnlySpan<byte>, bool>? these) => _gate.Stops = these;

    /// <summary>Both sides of every connection that is there now see a reset (RST). New ones work.</summary>
    public async Task ResetAsync()
    {
        RelayedConnection[] all;
        lock (_lock)
        {
            all = [.. _connections];
            _connections.Clear();
        }
        foreach (var connection in all)
            await connection.DisposeAsync();
    }

    /// <summary>Resets what is there, and nobody listens any more.</summary>
    public async Task RefuseAsync()
    {
        await StopListeningAsync();
        await ResetAsync();
    }

    /// <summary>Undoes all of the above.</summary>
    public void Heal()
    {
        _gate.Delay = TimeSpan.Zero;
        _gate.Closed = RelayDirection.None;
        if (_listener is null)
            _accepting = Listen();
    }

    public async ValueTask DisposeAsync()
    {
        await RefuseAsync();
        await _stop.CancelAsync();
        _stop.Dispose();
    }

    private Task Listen()
    {
        _listener = new(IPAddress.Loopback, Port);
        _listener.Start();
        return AcceptAsync(_listener);
    }

    private async Task StopListeningAsync()
    {
        _listener?.Stop();
        _listener = null;
        await _accepting;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception stopped) when (stopped is SocketException or InvalidOperationException or OperationCanceledException)
            {
                return;
            }
            var connection = new RelayedConnection(client, _brokerPort, _gate);
            lock (_lock)
            {
                _connections.RemoveAll(known => known.Relaying.IsCompleted);
                _connections.Add(connection);
            }
        }
    }
}
