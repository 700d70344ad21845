using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Queues;

/// <summary>What of a task's output goes over the broker.</summary>
public sealed class OutputTests : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly RabbitMqTaskQueue _queue;

    public OutputTests(BrokerFixture fixture) => _queue = (RabbitMqTaskQueue)TaskQueues.Open($"{fixture.Server.AmqpUri}?prefix=o-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _queue.DisposeAsync();

    [Fact]
    public async Task WriteOutput_NobodyAsked_PublishesNothing()
    {
        await using var session = await JoinAsync();
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token);
        var channel = await _queue.Parts.Reading.OpenChannelAsync(Token);
        await using var open = channel;
        var spy = await channel.QueueDeclareAsync(cancellationToken: Token);
        await channel.QueueBindAsync(spy.QueueName, _queue.Parts.Names.Bus, "output.#", cancellationToken: Token);

        for (var i = 0; i < 1000; i++)
            Write(delivery, $"unasked {i}");
        await Task.Delay(600, Token);
        Assert.Equal(0u, await channel.MessageCountAsync(spy.QueueName, Token));

        await using var lines = _queue.ReadOutputAsync(["a"], Token).GetAsyncEnumerator(Token);
        await NextAsync(delivery, lines);
        Assert.NotEqual(0u, await channel.MessageCountAsync(spy.QueueName, Token));
        Assert.False((await channel.BasicGetAsync(spy.QueueName, autoAck: true, Token))!.BasicProperties.Persistent);
    }

    [Fact]
    public async Task ReadOutput_ConnectionIsLost_GoesOn()
    {
        await using var session = await JoinAsync();
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token);
        await using var lines = _queue.ReadOutputAsync(["a"], Token).GetAsyncEnumerator(Token);
        await NextAsync(delivery, lines);
        _queue.Parts.Reading.Cut();
        var mark = Guid.NewGuid().ToString();
        while (lines.Current.Line != mark)
            await NextAsync(delivery, lines, mark);
    }

    private static void Write(IDelivery delivery, string line) => delivery.WriteOutput(DateTimeOffset.UtcNow, OutputStream.StandardOutput, line);

    /// <summary>Writes until the next line is there.</summary>
    private static async Task NextAsync(IDelivery delivery, IAsyncEnumerator<OutputLine> lines, string text = "line")
    {
        var next = lines.MoveNextAsync().AsTask();
        while (!next.IsCompleted)
        {
            Write(delivery, text);
            await Task.WhenAny(next, Task.Delay(20, Token));
        }
        Assert.True(await next.WaitAsync(s_patience, Token));
    }

    private async Task<INodeSession> JoinAsync()
    {
        var task = TaskDocumentReader.ReadAll("""{"id": "a", "image": "tools:1", "commands": [{"command": ["true"]}]}"""u8.ToArray())[0];
        await _queue.SendAsync([task], Token);
        return await _queue.JoinAsync(new NodeRegistration("n", 1, 8, 1 << 30, "Tests 1", TimeSpan.FromMinutes(5)), Token);
    }
}
