using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Xunit;

namespace Sisyphus.Tests.Broker;

public sealed class BrokerServerTests(BrokerFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<IConnection> ConnectAsync(Uri address) =>
        new ConnectionFactory { Uri = address, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);

    private static Task<IChannel> ChannelAsync(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(true, true, null), Token);

    private static async Task PublishAsync(IChannel channel, string queue, string text) =>
        await channel.BasicPublishAsync("", queue, true, new BasicProperties { Persistent = true }, Encoding.UTF8.GetBytes(text), Token);

    [Fact]
    public async Task Kill_DurableMessage_IsThereAfterRestart()
    {
        await using var server = new BrokerServer();
        await server.StartAsync();
        var queue = "q";
        await using (var connection = await ConnectAsync(server.AmqpUri))
        await using (var channel = await ChannelAsync(connection))
        {
            await channel.QueueDeclareAsync(queue, true, false, false, cancellationToken: Token);
            await server.SyncMetadataAsync();
            await PublishAsync(channel, queue, "lasting");
            await server.KillAsync();
        }
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(server.AmqpUri));
        await server.RestartAsync();
        await using (var connection = await ConnectAsync(server.AmqpUri))
        await using (var channel = await ChannelAsync(connection))
            Assert.Equal("lasting", Encoding.UTF8.GetString((await channel.BasicGetAsync(queue, true, Token))!.Body.Span));
    }

    [Fact]
    public async Task Start_Twice_TheyDoNotMeet()
    {
        await using var first = new BrokerServer();
        await using var second = new BrokerServer();
        await Task.WhenAll(first.StartAsync(), second.StartAsync());
        Assert.NotEqual(first.Port, second.Port);
        Assert.Equal($"'{second.NodeName}'", await second.EvalAsync("node()"));
        Assert.Equal("[]", await second.EvalAsync("nodes()"));
    }

    [Fact]
    public async Task AddUser_Rights_AreThoseThatWereGiven()
    {
        var host = Guid.NewGuid().ToString("n");
        await fixture.Server.AddVirtualHostAsync(host);
        var address = await fixture.Server.AddUserAsync("reader of " + host, "p/@ß", host, "^$", "^$", ".*");
        await using var connection = await ConnectAsync(address);
        await using var channel = await ChannelAsync(connection);
        var refused = await Assert.ThrowsAsync<OperationInterruptedException>(() => channel.QueueDeclareAsync("q", true, false, false, cancellationToken: Token));
        Assert.Equal(403, refused.ShutdownReason!.ReplyCode);
    }

    [Fact]
    public async Task Start_WithTls_ShowsTheCertificate()
    {
        using var certificates = new BrokerCertificates();
        await using var server = new BrokerServer(new() { Tls = certificates });
        await server.StartAsync();
        var factory = new ConnectionFactory { Uri = server.AmqpsUri, AutomaticRecoveryEnabled = false };
        var unknown = await Assert.ThrowsAsync<BrokerUnreachableException>(() => factory.CreateConnectionAsync(Token));
        Assert.IsType<System.Security.Authentication.AuthenticationException>(unknown.GetBaseException());
        factory.Ssl.CertificateValidationCallback = (_, certificate, _, _) => certificate!.Issuer == "CN=authority";
        await using var connection = await factory.CreateConnectionAsync(Token);
        Assert.True(connection.IsOpen);
    }
}
