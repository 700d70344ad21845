using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Sisyphus.Tests.Integration;

/// <summary>What relays share: a port of this machine, where each connection is served until it ends, breaks, or the relay is gone.</summary>
internal sealed class RelayServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener;
    private readonly Func<TcpClient, CancellationToken, Task> _serve;
    private readonly Task _accepting;

    /// <param name="serve">One connection, which is closed afterwards; whoever is at the other end of it sees no more of an error than that.</param>
    /// <param name="port">0 for any.</param>
    public RelayServer(Func<TcpClient, CancellationToken, Task> serve, int port = 0)
    {
        _serve = serve;
        _listener = new(IPAddress.Loopback, port);
        _listener.Start();
        EndPoint = (IPEndPoint)_listener.LocalEndpoint;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // However the listener says that it was stopped.
        }
        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _serve(client, _stop.Token);
            }
            catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException or AuthenticationException)
            {
                // The other side sees a closed connection, as from any server.
            }
        }
    }
}
