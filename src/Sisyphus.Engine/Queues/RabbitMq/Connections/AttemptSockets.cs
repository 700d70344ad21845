using System.Net.Security;
using System.Net.Sockets;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections.Frames;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>The sockets of one attempt to connect: the client leaves that of an attempt which was canceled open.</summary>
/// <param name="tls">Null where there is none.</param>
internal sealed class AttemptSockets(SslClientAuthenticationOptions? tls)
{
    private readonly Lock _lock = new();
    private readonly List<ITcpClient> _sockets = [];
    private bool _closed;

    public ITcpClient Create(AddressFamily family)
    {
        var socket = new FramedSocket(ConnectionFactoryBase.DefaultSocketFactory(family), tls);
        lock (_lock)
        {
            _sockets.Add(socket);
            if (_closed)
                socket.Dispose();
        }
        return socket;
    }

    /// <summary>Also those that are yet to come.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var socket in _sockets)
                socket.Dispose();
        }
    }
}
