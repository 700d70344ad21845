using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Tests.Integration;
using Xunit;

namespace Sisyphus.Tests.Broker;

public sealed class BrokerRelayTests(BrokerFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TimeSpan AWhile => TimeSpan.FromMilliseconds(300);

    private Task<IConnection> ConnectAsync(BrokerRelay relay) =>
        new ConnectionFactory { Uri = relay.Through(fixture.Server.AmqpUri), AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);

    private static Task<IChannel> ChannelAsync(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(true, true, null), Token);

    [Fact]
    public async Task Cut_Publish_WaitsUntilHealed()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var connection = await ConnectAsync(relay);
        await using var channel = await ChannelAsync(connection);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: Token)).QueueName;
        relay.Cut();
        var publishing = channel.BasicPublishAsync("", queue, true, new BasicProperties(), ReadOnlyMemory<byte>.Empty, Token).AsTask();
        await Assert.ThrowsAsync<TimeoutException>(() => publishing.WaitAsync(AWhile, Token));
        relay.Heal();
        await publishing.WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task Cut_ToClientOnly_TheBrokerHearsAndIsNotHeard()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var connection = await ConnectAsync(relay);
        await using var channel = await ChannelAsync(connection);
        await using var direct = await new ConnectionFactory { Uri = fixture.Server.AmqpUri }.CreateConnectionAsync(Token);
        await using var other = await direct.CreateChannelAsync(cancellationToken: Token);
        var queue = (await other.QueueDeclareAsync("", false, false, true, cancellationToken: Token)).QueueName;
        relay.Cut(RelayDirection.ToClient);
        var publishing = channel.BasicPublishAsync("", queue, true, new BasicProperties(), ReadOnlyMemory<byte>.Empty, Token).AsTask();
        await TestWait.UntilAsync(async () => await other.MessageCountAsync(queue, Token) == 1, TimeSpan.FromSeconds(20));
        Assert.False(publishing.IsCompleted);
        relay.Heal();
        await publishing.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public async Task Cut_ClientGoes_TheBrokerDoesNotNotice()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, relay.Port, Token);
        await client.GetStream().WriteAsync(new byte[] { 65, 77, 81, 80, 0, 0, 9, 1 }, Token);
        Assert.Equal(1, await client.GetStream().ReadAsync(new byte[1], Token));
        relay.Cut();
        client.Dispose();
        await Task.Delay(AWhile, Token);
        Assert.Equal(1, relay.Count);
        relay.Heal();
        await TestWait.UntilAsync(() => Task.FromResult(relay.Count == 0), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Reset_Connection_IsLostAndTheNextOneWorks()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var connection = await ConnectAsync(relay);
        var lost = new TaskCompletionSource();
        connection.ConnectionShutdownAsync += (_, _) =>
        {
            lost.TrySetResult();
            return Task.CompletedTask;
        };
        await relay.ResetAsync();
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await using var next = await ConnectAsync(relay);
        Assert.True(next.IsOpen);
    }

    [Fact]
    public async Task Refuse_NewConnection_IsRefusedUntilHealed()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await relay.RefuseAsync();
        var refused = await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(relay));
        Assert.Equal(SocketError.ConnectionRefused, Assert.IsAssignableFrom<SocketException>(refused.GetBaseException()).SocketErrorCode);
        relay.Heal();
        await using var connection = await ConnectAsync(relay);
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task Delay_RoundTrip_TakesItTwice()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var connection = await ConnectAsync(relay);
        relay.Delay(AWhile);
        var since = Stopwatch.GetTimestamp();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        Assert.InRange(Stopwatch.GetElapsedTime(since), 1.95 * AWhile, TimeSpan.FromSeconds(20));
    }
}
