using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using RabbitMQ.Client;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections.Frames;

/// <summary>The client's own socket, and TLS on it where it is wanted, with what comes over it read as frames first. The client's own TLS would lie over that.</summary>
internal sealed class FramedSocket(ITcpClient socket, SslClientAuthenticationOptions? tls) : ITcpClient
{
    private Stream? _stream;

    public bool Connected => socket.Connected;

    public Socket Client => socket.Client;

    public TimeSpan ReceiveTimeout
    {
        get => socket.ReceiveTimeout;
        set => socket.ReceiveTimeout = value;
    }

    /// <exception cref="System.Security.Authentication.AuthenticationException">There is no TLS to be had.</exception>
    public async Task ConnectAsync(IPAddress host, int port, CancellationToken cancellationToken = default)
    {
        await socket.ConnectAsync(host, port, cancellationToken).ConfigureAwait(false);
        _stream = socket.GetStream();
        if (tls is null)
            return;
        var secured = new SslStream(_stream);
        _stream = secured;
        await secured.AuthenticateAsClientAsync(tls, cancellationToken).ConfigureAwait(false);
    }

    public NetworkStream GetStream() => new FrameStream(socket.Client, _stream ?? throw new InvalidOperationException("The socket is not connected."));

    public void Close()
    {
        _stream?.Dispose();
        socket.Close();
    }

    public void Dispose()
    {
        _stream?.Dispose();
        socket.Dispose();
    }
}
