using System.Security.Cryptography.X509Certificates;

using Sisyphus.Engine.Queues;
using Xunit;

using static Sisyphus.Tests.Broker.Connections.BrokerConnectorTests;

namespace Sisyphus.Tests.Broker.Connections;

/// <summary>With brokers that have certificates of their own, with and without the wish for one of the client.</summary>
public sealed class BrokerTlsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ConnectAsync_Tls_VerifiesTheBroker()
    {
        using var certificates = new BrokerCertificates();
        using var others = new BrokerCertificates();
        await using var server = new BrokerServer(new BrokerOptions { Tls = certificates });
        await server.StartAsync();
        var port = server.AmqpsUri.Port;

        await using (var connection = await ConnectAsync($"amqps://guest:guest@127.0.0.1:{port},localhost:{port}?cacertfile={certificates.AuthorityPath}"))
            Assert.True(connection.IsOpen);
        AssertSays(await FailAsync($"amqps://guest:guest@127.0.0.1:{port}"), QueueFailure.Denied, "this machine does not trust it");
        AssertSays(await FailAsync($"amqps://guest:guest@127.0.0.1:{port}?cacertfile={others.AuthorityPath}"), QueueFailure.Denied, "not from an authority in");
        AssertSays(await FailAsync($"amqps://guest:guest@127.0.0.1:{server.Port}"), QueueFailure.Denied, "TLS failed");
        AssertSays(await FailAsync($"amqp://guest:guest@127.0.0.1:{port}?connect_timeout=3s"), QueueFailure.Unavailable, "Check the port");
        AssertSays(await FailAsync($"amqps://guest:s3cr3t@127.0.0.1:{port}?cacertfile={certificates.AuthorityPath}"), QueueFailure.Denied, "no user 'guest'");
    }

    [Theory]
    [InlineData("broker.example", null, "it is not for '127.0.0.1' but for broker.example")]
    [InlineData(null, -1, "it has expired")]
    public async Task ConnectAsync_CertificateThatIsBad_IsRefused(string? name, int? hours, string said)
    {
        using var certificates = new BrokerCertificates(name, hours is { } left ? DateTimeOffset.UtcNow.AddHours(left) : null);
        await using var server = new BrokerServer(new BrokerOptions { Tls = certificates });
        await server.StartAsync();
        AssertSays(await FailAsync($"amqps://guest:guest@127.0.0.1:{server.AmqpsUri.Port}?cacertfile={certificates.AuthorityPath}"), QueueFailure.Denied, said);
    }

    [Fact]
    public async Task ConnectAsync_ClientCertificate_IsShownAndLogsIn()
    {
        using var certificates = new BrokerCertificates(user: "lab-node");
        using var others = new BrokerCertificates(user: "lab-node");
        await using var server = new BrokerServer(new BrokerOptions
        {
            Tls = certificates,
            RequireClientCertificate = true,
            Plugins = ["rabbitmq_auth_mechanism_ssl"],
            Config = ["auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = EXTERNAL", "ssl_cert_login_from = common_name"],
        });
        await server.StartAsync();
        await server.AddUserAsync("lab-node", "unused", "/", ".*", ".*", ".*");
        var start = $"127.0.0.1:{server.AmqpsUri.Port}?connect_timeout=10s&cacertfile={certificates.AuthorityPath}";

        await using (var connection = await ConnectAsync($"amqps://guest:guest@{start}&certfile={certificates.ClientPath}&keyfile={certificates.ClientKeyPath}"))
            Assert.Contains("guest", await server.RunControlAsync("list_connections", "user"), StringComparison.Ordinal);
        await using (var connection = await ConnectAsync($"amqps://{start}&certfile={certificates.ClientPath}&keyfile={certificates.ClientKeyPath}"))
            Assert.Contains("lab-node", await server.RunControlAsync("list_connections", "user"), StringComparison.Ordinal);
        await using (var connection = await ConnectAsync($"amqps://{start}&certfile={await Pkcs12Async(certificates)}"))
            Assert.True(connection.IsOpen);

        // The broker may reset the connection before its reason has been read.
        foreach (var bad in new[] { "", $"&certfile={others.ClientPath}&keyfile={others.ClientKeyPath}" })
        {
            var error = await FailAsync($"amqps://guest:guest@{start}{bad}");
            AssertSays(error, error.Failure == QueueFailure.Denied ? QueueFailure.Denied : QueueFailure.Unavailable, "client certificate");
        }
        await server.RunControlAsync("delete_user", "lab-node");
        AssertSays(await FailAsync($"amqps://{start}&certfile={certificates.ClientPath}&keyfile={certificates.ClientKeyPath}"), QueueFailure.Denied, "client certificate");
    }

    private static async Task<string> Pkcs12Async(BrokerCertificates certificates)
    {
        using var certificate = X509Certificate2.CreateFromPemFile(certificates.ClientPath, certificates.ClientKeyPath);
        var path = certificates.ClientPath + ".p12";
        await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pkcs12), Token);
        return path;
    }
}
