using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sisyphus.Tests.Unit.Google;

/// <summary>A small HTTP server of this process in place of Google's token servers, one request a connection.</summary>
/// <remarks>Not HttpListener: it refuses a POST without a length, which the container engine's clients send.</remarks>
internal sealed class TokenServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public TokenServer()
    {
        _listener.Start();
        Address = _listener.LocalEndpoint.ToString()!;
        _serving = ServeAsync();
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    public string Url => $"http://{Address}";

    public ConcurrentQueue<TokenRequest> Seen { get; } = [];

    /// <summary>What is answered to a request: status and JSON.</summary>
    public Func<TokenRequest, (int Status, string Body)> Answer { get; set; } = _ => (404, "{}");

    /// <summary>Answers a token with a new number at each request.</summary>
    public void GiveTokens(int seconds = 3600)
    {
        var number = 0;
        Answer = _ => (200, $$"""{"access_token":"token-{{Interlocked.Increment(ref number)}}","expires_in":{{seconds}},"token_type":"Bearer"}""");
    }

    public void Dispose()
    {
        _listener.Dispose();
        _serving.Wait(TimeSpan.FromSeconds(10));
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync()));
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var request = await ReadAsync(stream);
                Seen.Enqueue(request);
                var (status, body) = Answer(request);
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nMetadata-Flavor: Google\r\nConnection: close\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));
            }
            catch (IOException)
            {
                // The client has gone.
            }
        }
    }

    private async Task<TokenRequest> ReadAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        var first = (await LineAsync()).Split(' ');
        var headers = new NameValueCollection();
        while (await LineAsync() is { Length: > 0 } line)
            headers.Add(line.Split(':')[0], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
        var body = new char[int.Parse(headers["Content-Length"] ?? "0", CultureInfo.InvariantCulture)];
        // A read of nothing would wait for something.
        if (body.Length > 0)
            await reader.ReadBlockAsync(body);
        return new(first[0], new(Url + first[1]), headers, new(body));

        async Task<string> LineAsync() => await reader.ReadLineAsync() ?? throw new IOException("The client closed the connection.");
    }
}
