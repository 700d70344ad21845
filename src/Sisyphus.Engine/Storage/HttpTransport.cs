namespace Sisyphus.Engine.Storage;

/// <summary>The one pool of HTTP connections of the process: cmdlets open stores as often as they are called.</summary>
internal static class HttpTransport
{
    private static readonly SocketsHttpHandler Handler = new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(15),
        // Bounded by the transfers, which know what may run at a time.
        MaxConnectionsPerServer = int.MaxValue,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        AllowAutoRedirect = false,
        UseCookies = false,
    };

    /// <summary>Follows no redirection, keeps no cookies, has no time limit of its own. Never disposed.</summary>
    public static HttpClient Client { get; } = new(Handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
}
