using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sisyphus.Tests.Integration;

/// <summary>Stands before a registry, sees the requests of pulls and, where a test says so, answers instead of it.</summary>
internal sealed class RegistryRelay : IAsyncDisposable
{
    private readonly IPEndPoint _registry;
    private readonly RelayServer _server;

    public RegistryRelay(string registry)
    {
        _registry = IPEndPoint.Parse(registry);
        _server = new(RelayAsync);
    }

    public string Address => _server.EndPoint.ToString();

    /// <summary>Heads of the requests, as they came.</summary>
    public ConcurrentQueue<string> Seen { get; } = [];

    /// <summary>What to answer to a request's head; empty to reset the connection, null to let the registry answer.</summary>
    public Func<string, string?> Fault { get; set; } = _ => null;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    // One request a connection: what comes later on it need not be understood then.
    private async Task RelayAsync(TcpClient client, CancellationToken cancellationToken)
    {
        var near = client.GetStream();
        if (await ReadHeadAsync(near, cancellationToken) is not { } head)
        {
            // TLS: answered as a server does that speaks none, whereupon the engine comes again without.
            await near.WriteAsync("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"u8.ToArray(), cancellationToken);
            return;
        }
        Seen.Enqueue(head);
        if (Fault(head) is { } answer)
        {
            if (answer.Length == 0)
                client.LingerState = new(true, 0);
            await near.WriteAsync(Encoding.ASCII.GetBytes(answer), cancellationToken);
            return;
        }
        using var registry = new TcpClient();
        await registry.ConnectAsync(_registry, cancellationToken);
        var far = registry.GetStream();
        await far.WriteAsync(Encoding.ASCII.GetBytes(head.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal)), cancellationToken);
        await far.CopyToAsync(near, cancellationToken);
    }

    private static async Task<string?> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        var buffer = new byte[1];
        while (head.Length < 4 || head.ToString(head.Length - 4, 4) != "\r\n\r\n")
        {
            if (await stream.ReadAsync(buffer, cancellationToken) == 0)
                throw new IOException("The engine closed the connection.");
            if (buffer[0] == 0x16 && head.Length == 0)
                return null;
            head.Append((char)buffer[0]);
        }
        return head.ToString();
    }
}
