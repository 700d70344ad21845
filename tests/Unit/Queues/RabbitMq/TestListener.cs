using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

/// <summary>A port of this machine where something that is no broker answers.</summary>
internal sealed class TestListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<NetworkStream, CancellationToken, Task> _answer;
    private readonly Task _accepting;
    private readonly TaskCompletionSource _hungUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TestListener(Func<NetworkStream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Accepted { get; private set; }

    /// <summary>Ends when the first client has.</summary>
    public Task HungUp => _hungUp.Task;

    public static TestListener Silent() => new(async (stream, stop) =>
    {
        var buffer = new byte[1024];
        while (await stream.ReadAsync(buffer, stop) > 0)
        {
        }
    });

    /// <summary>Says something as soon as it was spoken to, and hangs up or not.</summary>
    public static TestListener Answering(string text, bool hangUp = true) => new(async (stream, stop) =>
    {
        await stream.ReadAtLeastAsync(new byte[8], 8, throwOnEndOfStream: false, stop);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), stop);
        if (!hangUp)
            await Task.Delay(Timeout.Infinite, stop);
    });

    public static TestListener Tls(X509Certificate2 certificate) => new(async (stream, stop) =>
    {
        using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
        await Task.Delay(Timeout.Infinite, stop);
    });

    /// <summary>A port where nobody listens: it was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> clients = [];
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Accepted++;
                clients.Add(ServeAsync(client));
            }
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _answer(client.GetStream(), _stop.Token);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or System.Security.Authentication.AuthenticationException)
            {
                // The client hung up, or the test is over.
            }
            finally
            {
                _hungUp.TrySetResult();
            }
        }
    }
}
