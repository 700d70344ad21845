using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Sisyphus.Tests.Integration;

/// <summary>Makes the engine's unix socket reachable by TCP on this machine, plain or with TLS, as a remote engine is.</summary>
internal sealed class EngineRelay : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener;
    private readonly string _socket;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly Task _accepting;

    /// <param name="server">Certificate to show, or null for plain TCP.</param>
    /// <param name="clientAuthority">Who must have signed the client's certificate.</param>
    /// <param name="port">0 for any; that of an earlier relay is an engine that is back.</param>
    public EngineRelay(string socket, X509Certificate2? server = null, X509Certificate2? clientAuthority = null, int port = 0)
    {
        _listener = new(IPAddress.Loopback, port);
        _socket = socket;
        if (server is not null)
            _tls = new()
            {
                ServerCertificate = server,
                ClientCertificateRequired = clientAuthority is not null,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => clientAuthority is null || certificate?.Issuer == clientAuthority.Subject,
            };
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            // However the listener says that it was stopped.
        }
        await Task.WhenAll(relays);
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            try
            {
                Stream near = client.GetStream();
                if (_tls is not null)
                {
                    var secure = new SslStream(near);
                    await secure.AuthenticateAsServerAsync(_tls, _stop.Token);
                    near = secure;
                }
                await engine.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _stop.Token);
                await using var far = new NetworkStream(engine);
                var up = CopyAsync(near, far, () => engine.Shutdown(SocketShutdown.Send));
                await CopyAsync(far, near, () => client.Client.Shutdown(SocketShutdown.Send));
                await up;
            }
            catch (Exception broken) when (broken is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The client sees a closed connection, as from any server.
            }
        }
    }

    private async Task CopyAsync(Stream from, Stream to, Action end)
    {
        try
        {
            await from.CopyToAsync(to, _stop.Token);
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
