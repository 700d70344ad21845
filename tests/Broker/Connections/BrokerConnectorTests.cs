using System.Diagnostics;
using System.Net;

using RabbitMQ.Client;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Tests.Integration;
using Xunit;

namespace Sisyphus.Tests.Broker.Connections;

public sealed class BrokerConnectorTests(BrokerFixture broker)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ConnectAsync_RightAddress_IsOpenAndShowsItself()
    {
        var vhost = await broker.NewVirtualHostAsync();
        await using var connection = await ConnectAsync($"{vhost}?heartbeat=7");
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true, null, null), Token);
        Assert.True(channel.IsOpen);
        Assert.Equal(TimeSpan.FromSeconds(7), connection.Heartbeat);
        var shown = await broker.Server.RunControlAsync("list_connections", "vhost", "client_properties");
        var line = Assert.Single(shown.Split('\n'), line => line.StartsWith(vhost.AbsolutePath[1..], StringComparison.Ordinal));
        Assert.Contains($"sisyphus test {Environment.MachineName}/{Environment.ProcessId}", line, StringComparison.Ordinal);
        Assert.Contains("\"Sisyphus\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectAsync_OneHostOfThreeAnswers_IsFound()
    {
        var vhost = await broker.NewVirtualHostAsync();
        var hosts = $"127.0.0.1:{FreePorts.Next()},127.0.0.1:{broker.Server.Port},127.0.0.1:{FreePorts.Next()}";
        await using var connection = await ConnectAsync($"amqp://guest:guest@{hosts}{vhost.AbsolutePath}");
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task ConnectAsync_WithCredential_IsThatUser()
    {
        var vhost = (await broker.NewVirtualHostAsync()).AbsolutePath[1..];
        await broker.Server.AddUserAsync("user-" + vhost, "p:/@ss%", vhost, "", "", "");
        var address = BrokerAddress.Parse($"amqp://127.0.0.1:{broker.Server.Port}/{vhost}").WithCredential(new NetworkCredential("user-" + vhost, "p:/@ss%"));
        await using var connection = await new BrokerConnector(address).ConnectAsync("test", Token);
        Assert.True(connection.IsOpen);
    }

    [Theory]
    [InlineData("guest", "s3cr3t", "no user 'guest' with this password")]
    [InlineData("nobody", "s3cr3t", "no user 'nobody' with this password")]
    [InlineData("nobody", null, "no user 'nobody' with this password")]
    public async Task ConnectAsync_WrongPassword_IsDenied(string user, string? password, string said)
    {
        var error = await FailAsync($"amqp://{user}{(password is null ? "" : ":" + password)}@127.0.0.1:{broker.Server.Port}");
        AssertSays(error, QueueFailure.Denied, said);
    }

    [Fact]
    public async Task ConnectAsync_DeniedByTheFirstOfTwo_DoesNotAskTheOther()
    {
        var error = await FailAsync($"amqp://guest:s3cr3t@127.0.0.1:{broker.Server.Port},localhost:{broker.Server.Port}");
        AssertSays(error, QueueFailure.Denied, "no user 'guest'");
    }

    [Fact]
    public async Task ConnectAsync_MissingVirtualHost_IsDenied()
    {
        var error = await FailAsync($"amqp://guest:guest@127.0.0.1:{broker.Server.Port}/no%2Fsuch");
        AssertSays(error, QueueFailure.Denied, "no virtual host 'no/such'");
    }

    [Fact]
    public async Task ConnectAsync_VirtualHostOfOthers_IsDenied()
    {
        var mine = (await broker.NewVirtualHostAsync()).AbsolutePath[1..];
        var other = (await broker.NewVirtualHostAsync()).AbsolutePath[1..];
        await broker.Server.AddUserAsync("user-" + mine, "s3cr3t", mine, ".*", ".*", ".*");
        var error = await FailAsync($"amqp://user-{mine}:s3cr3t@127.0.0.1:{broker.Server.Port}/{other}");
        AssertSays(error, QueueFailure.Denied, $"the user 'user-{mine}' has no access to the virtual host '{other}'");
    }

    [Fact]
    public async Task ConnectAsync_LimitOfConnections_IsUnavailable()
    {
        var vhost = (await broker.NewVirtualHostAsync()).AbsolutePath[1..];
        await broker.Server.RunControlAsync("set_vhost_limits", "-p", vhost, """{"max-connections": 0}""");
        AssertSays(await FailAsync($"amqp://guest:guest@127.0.0.1:{broker.Server.Port}/{vhost}"), QueueFailure.Unavailable, "limit is reached");
    }

    [Fact]
    public async Task ConnectAsync_Failed_LeavesNoConnection()
    {
        var vhost = await broker.NewVirtualHostAsync();
        var user = "user-" + vhost.AbsolutePath[1..];
        await broker.Server.AddUserAsync(user, "s3cr3t", vhost.AbsolutePath[1..], "", "", "");
        await FailAsync($"amqp://{user}:s3cr3t@127.0.0.1:{broker.Server.Port}/");
        await TestWait.UntilAsync(async () => !(await broker.Server.RunControlAsync("list_connections", "user")).Contains(user, StringComparison.Ordinal), Limit);
    }

    [Fact]
    public async Task ConnectAsync_BrokerThatHangsOrIsAway_IsUnavailable()
    {
        await using var server = new BrokerServer();
        await server.StartAsync();
        await server.PauseAsync();
        AssertSays(await FailAsync($"{server.AmqpUri}?connect_timeout=2s"), QueueFailure.Unavailable, "no answer within 2 s");
        await server.KillAsync();
        AssertSays(await FailAsync($"{server.AmqpUri}"), QueueFailure.Unavailable, "nobody listens there");
    }

    [Fact]
    public async Task Translate_NoRightToDeclare_SaysWhichRights()
    {
        var vhost = (await broker.NewVirtualHostAsync()).AbsolutePath[1..];
        await broker.Server.AddUserAsync("user-" + vhost, "s3cr3t", vhost, "", ".*", ".*");
        var address = BrokerAddress.Parse($"amqp://user-{vhost}:s3cr3t@127.0.0.1:{broker.Server.Port}/{vhost}");
        var error = await ChannelFailureAsync(address, channel => channel.QueueDeclareAsync("sisyphus.x", durable: true, exclusive: false, autoDelete: false, cancellationToken: Token));
        AssertSays(error, QueueFailure.Denied, "has to read '^sisyphus[-.]'");
    }

    [Fact]
    public async Task Translate_QueueWithOtherArguments_IsNotAQueue()
    {
        var address = BrokerAddress.Parse((await broker.NewVirtualHostAsync()).ToString());
        var error = await ChannelFailureAsync(address, async channel =>
        {
            await channel.QueueDeclareAsync("sisyphus.x", durable: true, exclusive: false, autoDelete: false, cancellationToken: Token);
            await channel.QueueDeclareAsync("sisyphus.x", durable: true, exclusive: false, autoDelete: false, arguments: new Dictionary<string, object?> { ["x-message-ttl"] = 1 }, cancellationToken: Token);
        });
        AssertSays(error, QueueFailure.NotAQueue, "was declared otherwise");
    }

    [Fact]
    public async Task Translate_QueueThatIsNotThere_IsUnavailable()
    {
        var address = BrokerAddress.Parse((await broker.NewVirtualHostAsync()).ToString());
        AssertSays(await ChannelFailureAsync(address, channel => channel.QueueDeclarePassiveAsync("none", Token)), QueueFailure.Unavailable, "no queue 'none'");
    }

    [Fact]
    public async Task Translate_MessageWithoutAQueue_IsUnavailable()
    {
        var address = BrokerAddress.Parse((await broker.NewVirtualHostAsync()).ToString());
        AssertSays(await ChannelFailureAsync(address, channel => channel.BasicPublishAsync("", "none", mandatory: true, "x"u8.ToArray(), Token).AsTask()), QueueFailure.Unavailable, "no queue 'none'");
    }

    internal static async Task<IConnection> ConnectAsync(string address) =>
        await new BrokerConnector(BrokerAddress.Parse(address)).ConnectAsync("test", Token);

    internal static async Task<QueueException> FailAsync(string address)
    {
        var started = Stopwatch.GetTimestamp();
        var error = await Assert.ThrowsAsync<QueueException>(() => ConnectAsync(address));
        Assert.True(Stopwatch.GetElapsedTime(started) < Limit, $"{Stopwatch.GetElapsedTime(started)}");
        return error;
    }

    internal static void AssertSays(QueueException error, QueueFailure failure, string said)
    {
        Assert.True(error.Failure == failure && error.Message.Contains(said, StringComparison.Ordinal), $"{error.Failure}: {error}");
        Assert.DoesNotContain("s3cr3t", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("guest:guest", error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<QueueException> ChannelFailureAsync(BrokerAddress address, Func<IChannel, Task> doIt)
    {
        await using var connection = await new BrokerConnector(address).ConnectAsync("test", Token);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true, null, null), Token);
        return BrokerFailures.Translate(await Assert.ThrowsAnyAsync<Exception>(() => doIt(channel)), address, "do it");
    }
}
