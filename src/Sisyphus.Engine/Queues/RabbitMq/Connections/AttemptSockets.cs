using System.Net.Sockets;

using RabbitMQ.Client;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>The sockets of one attempt to connect: the client leaves that of an attempt which was canceled open.</summary>
internal sealed class AttemptSockets
{
    private readonly Lock _lock = new();
    private readonly List<ITcpClient> _sockets = [];
    private bool _closed;

    /// <summary>As the client's own.</summary>
    public ITcpClient Create(AddressFamily family)
    {
        var socket = ConnectionFactoryBase.DefaultSocketFactory(family);
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
