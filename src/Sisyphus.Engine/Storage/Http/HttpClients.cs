using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>A pool of connections for each guard: one that was made for a user must not serve a stranger.</summary>
internal static class HttpClients
{
    private static readonly ConcurrentDictionary<HostGuard, HttpClient> Pools = new();

    /// <summary>Follows no redirection, keeps no cookies, unpacks nothing. Never disposed.</summary>
    public static HttpClient Of(HostGuard guard) => Pools.GetOrAdd(guard, static guard => new HttpClient(Handler(guard)) { Timeout = Timeout.InfiniteTimeSpan });

    public static SocketsHttpHandler Handler(HostGuard guard) => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(15),
        MaxConnectionsPerServer = int.MaxValue,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(guard, context, cancellationToken),
    };

    // The address is looked at here, where it is connected to, and not before: a name may lead elsewhere a moment later.
    private static async ValueTask<Stream> ConnectAsync(HostGuard guard, SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (asked, end) = (context.InitialRequestMessage.RequestUri!, context.DnsEndPoint);
        var addresses = await Dns.GetHostAddressesAsync(end.Host, cancellationToken).ConfigureAwait(false);
        // Through a proxy the connection goes to what the operator has set; what it may reach is up to it, and to the check of the name.
        if (string.Equals(end.Host, asked.IdnHost.Trim('[', ']'), StringComparison.OrdinalIgnoreCase) && end.Port == asked.Port)
        {
            foreach (var address in addresses)
                guard.Require(asked, address);
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, end.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Through a proxy nobody sees the address: it is asked for here, as far as this machine knows names.</summary>
    public static async Task RequireAsync(HostGuard guard, Uri address, CancellationToken cancellationToken)
    {
        guard.Require(address);
        if (guard == HostGuard.None || HttpClient.DefaultProxy.GetProxy(address) is null || HttpClient.DefaultProxy.IsBypassed(address))
            return;
        IPAddress[] resolved;
        try
        {
            resolved = await Dns.GetHostAddressesAsync(address.IdnHost, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            return;
        }
        foreach (var one in resolved)
            guard.Require(address, one);
    }

    /// <summary>The guard's own words, where a connection was not made because of them.</summary>
    public static TaskFailureException? DenialIn(Exception exception) => exception as TaskFailureException ?? (exception.InnerException is { } inner ? DenialIn(inner) : null);
}
