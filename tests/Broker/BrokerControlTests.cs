using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Tests.Integration;
using Xunit;

namespace Sisyphus.Tests.Broker;

/// <summary>That the broker really does to its clients what the tests of faults will rely on.</summary>
public sealed class BrokerControlTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BrokerServer _server = fixture.Server;
    private readonly string _queue = Guid.NewGuid().ToString("n");
    private IConnection _connection = null!;
    private IChannel _channel = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _connection = await ConnectAsync();
        _channel = await _connection.CreateChannelAsync(new CreateChannelOptions(true, true, null), Token);
        await _channel.QueueDeclareAsync(_queue, true, false, false, cancellationToken: Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private Task<IConnection> ConnectAsync() =>
        new ConnectionFactory { Uri = _server.AmqpUri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);

    private static TaskCompletionSource<T> NewSignal<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Task Set<T>(TaskCompletionSource<T> signal, T value)
    {
        signal.TrySetResult(value);
        return Task.CompletedTask;
    }

    private Task PublishAsync() => PublishAsync(_queue);

    private Task PublishAsync(string queue) => _channel.BasicPublishAsync("", queue, true, new BasicProperties { Persistent = true }, Encoding.UTF8.GetBytes("x"), Token).AsTask();

    private Task<ShutdownEventArgs> ConnectionLost()
    {
        var lost = new TaskCompletionSource<ShutdownEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        _connection.ConnectionShutdownAsync += (_, why) =>
        {
            lost.TrySetResult(why);
            return Task.CompletedTask;
        };
        return lost.Task.WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task CloseAllConnections_Client_IsToldTheReason()
    {
        var lost = ConnectionLost();
        await _server.CloseAllConnectionsAsync("for \"tests\"");
        var why = await lost;
        Assert.Equal(320, why.ReplyCode);
        Assert.Contains("for \"tests\"", why.ReplyText, StringComparison.Ordinal);
    }

    [Theory, InlineData("disk"), InlineData("memory")]
    public async Task SetAlarm_Publish_IsBlockedUntilCleared(string resource)
    {
        Func<bool, Task> set = resource == "disk" ? _server.SetDiskAlarmAsync : _server.SetMemoryAlarmAsync;
        var blocked = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _connection.ConnectionBlockedAsync += (_, why) =>
        {
            blocked.TrySetResult(why.Reason);
            return Task.CompletedTask;
        };
        await set(true);
        var publishing = PublishAsync();
        Assert.Contains(resource, await blocked.Task.WaitAsync(Patience, Token), StringComparison.Ordinal);
        Assert.False(publishing.IsCompleted);
        await set(false);
        await publishing.WaitAsync(Patience, Token);
    }

    /// <summary>Up to 4.2 the broker closes the channel; from 4.3 on it cancels the consumer of a quorum queue, and lets that of a classic one be.</summary>
    [Theory, InlineData("classic"), InlineData("quorum")]
    public async Task SetConsumerTimeout_DeliveryHeldForLonger_IsTakenBackAsTheVersionDoes(string kind)
    {
        var isNew = Version.Parse(Encoding.UTF8.GetString((byte[])_connection.ServerProperties!["version"]!)) >= new Version(4, 3);
        var limit = TimeSpan.FromSeconds(1);
        await _server.SetConsumerTimeoutAsync(limit);
        var queue = $"{_queue}.{kind}";
        await _channel.QueueDeclareAsync(queue, true, false, false, new Dictionary<string, object?> { ["x-queue-type"] = kind }, cancellationToken: Token);
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: Token);
        var (delivered, canceled, closed) = (NewSignal<bool>(), NewSignal<bool>(), NewSignal<ShutdownEventArgs>());
        channel.ChannelShutdownAsync += (_, why) => Set(closed, why);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, _) => Set(delivered, true);
        // Also when the channel is closed: which of them it was the channel tells.
        consumer.UnregisteredAsync += (_, _) => Set(canceled, true);
        await channel.BasicConsumeAsync(queue, false, consumer, Token);
        await PublishAsync(queue);
        await delivered.Task.WaitAsync(Patience, Token);
        if (!isNew)
        {
            Assert.Equal(406, (await closed.Task.WaitAsync(Patience, Token)).ReplyCode);
        }
        else if (kind == "quorum")
        {
            await canceled.Task.WaitAsync(Patience, Token);
            Assert.True(channel.IsOpen);
        }
        else
        {
            await Assert.ThrowsAsync<TimeoutException>(() => Task.WhenAny(closed.Task, canceled.Task).WaitAsync(5 * limit, Token));
        }
        Assert.True(_connection.IsOpen);
        var back = isNew && kind == "classic" ? 0u : 1u;
        await TestWait.UntilAsync(async () => await _channel.MessageCountAsync(queue, Token) == back, Patience);
    }

    [Fact]
    public async Task Pause_Publish_WaitsForContinue()
    {
        await _server.PauseAsync();
        var publishing = PublishAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => publishing.WaitAsync(TimeSpan.FromMilliseconds(300), Token));
        await _server.ContinueAsync();
        await publishing.WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task StopApp_Clients_LoseTheirConnectionAndComeBackAfterStartApp()
    {
        await PublishAsync();
        var lost = ConnectionLost();
        await _server.StopAppAsync();
        await lost;
        await Assert.ThrowsAsync<BrokerUnreachableException>(ConnectAsync);
        await _server.StartAppAsync();
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Token);
        Assert.Equal(1u, await channel.MessageCountAsync(_queue, Token));
    }

    [Fact]
    public async Task DeleteQueue_UnderItsUsers_IsGone()
    {
        await _server.DeleteQueueAsync(_queue);
        await Assert.ThrowsAsync<PublishReturnException>(PublishAsync);
    }

    [Fact]
    public async Task Kill_Paused_EndsAndStartsAgain()
    {
        await _server.PauseAsync();
        await _server.KillAsync();
        Assert.False(_server.IsRunning);
        await _server.RestartAsync();
        await TestWait.UntilAsync(() => Task.FromResult(!_connection.IsOpen), Patience);
        await using var next = await ConnectAsync();
        Assert.True(next.IsOpen);
    }
}
