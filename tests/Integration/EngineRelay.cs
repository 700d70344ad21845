using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Sisyphus.Tests.Integration;

/// <summary>Makes the engine's unix socket reachable by TCP on this machine, plain or with TLS, as a remote engine is.</summary>
internal sealed class EngineRelay : IAsyncDisposable
{
    private readonly string _socket;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly RelayServer _server;

    /// <param name="server">Certificate to show, or null for plain TCP.</param>
    /// <param name="clientAuthority">Who must have signed the client's certificate.</param>
    /// <param name="port">0 for any; that of an earlier relay is an engine that is back.</param>
    public EngineRelay(string socket, X509Certificate2? server = null, X509Certificate2? clientAuthority = null, int port = 0)
    {
        _socket = socket;
        if (server is not null)
            _tls = new()
            {
                ServerCertificate = server,
                ClientCertificateRequired = clientAuthority is not null,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => clientAuthority is null || certificate?.Issuer == clientAuthority.Subject,
            };
        _server = new(RelayAsync, port);
    }

    public int Port => _server.EndPoint.Port;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task RelayAsync(TcpClient client, CancellationToken cancellationToken)
    {
        using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Stream near = client.GetStream();
        if (_tls is not null)
        {
            var secure = new SslStream(near);
            await secure.AuthenticateAsServerAsync(_tls, cancellationToken);
            near = secure;
        }
        await engine.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellationToken);
        await using var far = new NetworkStream(engine);
        var up = CopyAsync(near, far, () => engine.Shutdown(SocketShutdown.Send), cancellationToken);
        await CopyAsync(far, near, () => client.Client.Shutdown(SocketShutdown.Send), cancellationToken);
        await up;
    }

    private static async Task CopyAsync(Stream from, Stream to, Action end, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken);
        }
        catch (IOException)
        {
        }
        try
        {
            end();
        }
        catch (SocketException)
        {
        }
    }
}
