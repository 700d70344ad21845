using System.Diagnostics;
using System.Runtime.InteropServices;
using RabbitMQ.Client;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>Connects to the broker, to whichever of its hosts answers. What the client can do by itself after a loss is off: a lost connection stays lost.</summary>
internal sealed class BrokerConnector(BrokerAddress address)
{
    /// <summary>Of closing what nobody waits for any more.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    /// <param name="purpose">A word for the management console.</param>
    /// <returns>An open connection, the caller's to dispose.</returns>
    /// <exception cref="QueueException">Within <see cref="BrokerAddress.ConnectTimeout"/>.</exception>
    public Task<IConnection> ConnectAsync(string purpose, CancellationToken cancellationToken) => ConnectAsync(purpose, _ => { }, cancellationToken);

    /// <param name="opened">Gets the sockets of the connection that is returned.</param>
    public async Task<IConnection> ConnectAsync(string purpose, Action<AttemptSockets> opened, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var hosts = address.Hosts.ToArray();
        // So that nodes spread over a cluster.
        Random.Shared.Shuffle(hosts);
        List<(BrokerHost Host, QueueException Error)> failures = [];
        foreach (var host in hosts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // What a host that refuses at once leaves over is the others'.
            var share = (address.ConnectTimeout - Stopwatch.GetElapsedTime(started)) / (hosts.Length - failures.Count);
            try
            {
                return await ConnectAsync(host, purpose, share, opened, cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Unavailable)
            {
                failures.Add((host, error));
            }
        }
        throw failures.Count == 1 ? failures[0].Error : BrokerFailures.NoHost(address, failures);
    }

    private async Task<IConnection> ConnectAsync(BrokerHost host, string purpose, TimeSpan share, Action<AttemptSockets> opened, CancellationToken cancellationToken)
    {
        using var tls = address.UsesTls ? new BrokerTls(address, host.Name) : null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        AttemptSockets? sockets = null;
        Task<IConnection>? connecting = null;
        try
        {
            sockets = new AttemptSockets(tls?.Options());
            // Without TLS of its own: that lies below.
            var endpoint = new AmqpTcpEndpoint(host.Name, host.Port, new SslOption());
            limit.CancelAfter(share);
            // On the pool: name resolution and the first steps may block.
            connecting = Task.Run(() => OpenAsync(Factory(purpose, share, sockets), endpoint, limit.Token), CancellationToken.None);
            var connection = await connecting.WaitAsync(limit.Token).ConfigureAwait(false);
            opened(sockets);
            return connection;
        }
        catch (Exception error)
        {
            sockets?.Close();
            if (connecting is { IsCompleted: false })
                Abandon(connecting);
            cancellationToken.ThrowIfCancellationRequested();
            var doing = $"connect to {host}";
            if (tls?.Refusal is { } refusal)
                throw BrokerFailures.Translate(new RefusedCertificateException(refusal, error), address, doing);
            if (limit.IsCancellationRequested)
                throw BrokerFailures.Translate(new TimeoutException($"no answer within {share.TotalSeconds:0.#} s", error), address, doing);
            throw BrokerFailures.Translate(error, address, doing);
        }
    }

    // The client does not wait for the broker's answer about the virtual host; a channel does.
    private async Task<IConnection> OpenAsync(ConnectionFactory factory, AmqpTcpEndpoint endpoint, CancellationToken cancellationToken)
    {
        var connection = await factory.CreateConnectionAsync([endpoint], cancellationToken).ConfigureAwait(false);
        try
        {
            BrokerVersion.Check(connection.ServerProperties, address);
            var channel = await connection.CreateChannelAsync(new CreateChannelOptions(false, false, null, 1), cancellationToken).ConfigureAwait(false);
            await using (channel.Ending().ConfigureAwait(false))
                await channel.CloseAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.AbortAsync(CloseTimeout).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ConnectionFactory Factory(string purpose, TimeSpan share, AttemptSockets sockets)
    {
        var name = $"sisyphus {purpose} {Environment.MachineName}/{Environment.ProcessId}";
        var factory = new ConnectionFactory
        {
            AutomaticRecoveryEnabled = false,
            TopologyRecoveryEnabled = false,
            VirtualHost = address.VirtualHost,
            RequestedHeartbeat = address.Heartbeat,
            RequestedConnectionTimeout = share,
            HandshakeContinuationTimeout = share,
            ContinuationTimeout = address.ConnectTimeout,
            SocketReadTimeout = address.ConnectTimeout,
            SocketWriteTimeout = address.ConnectTimeout,
            SocketFactory = sockets.Create,
            ConsumerDispatchConcurrency = 1,
            ClientProvidedName = name,
            ClientProperties = new Dictionary<string, object?>
            {
                ["product"] = "Sisyphus",
                ["version"] = typeof(BrokerConnector).Assembly.GetName().Version?.ToString(3),
                ["platform"] = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}",
                ["connection_name"] = name,
            },
        };
        if (address.User is not null)
            (factory.UserName, factory.Password) = (address.User, address.Password ?? "");
        else if (address.CertificateFile is not null)
            factory.AuthMechanisms = [new ExternalMechanismFactory(), new PlainMechanismFactory()];
        return factory;
    }

    // Without its sockets it ends soon. What it makes after all is closed when it comes.
    private static void Abandon(Task<IConnection> connecting) => _ = connecting.ContinueWith(
        static async late =>
        {
            if (late.IsCompletedSuccessfully)
                await late.Result.AbortAsync(CloseTimeout).ConfigureAwait(false);
            else
                _ = late.Exception;
        },
        TaskScheduler.Default);
}
