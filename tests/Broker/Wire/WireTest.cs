using System.Diagnostics;
using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker.Foreign;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>A virtual host of its own with the original's names, a queue of ours in it, and a client that knows only AMQP. All that the broker delivers is counted.</summary>
public abstract class WireTest(BrokerFixture fixture) : IAsyncLifetime
{
    protected const string Main = "sisyphus-queue";
    protected const string GoodDocument = """{"id": "good", "image": "tools:1", "commands": [{"command": ["true"]}]}""";
    private const string Trace = "trace";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<IAsyncDisposable> _open = [];

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected BrokerFixture Fixture => fixture;

    protected Uri Address { get; private set; } = null!;

    protected ITaskQueue Queue { get; private set; } = null!;

    /// <summary>Of the other client.</summary>
    protected IConnection Connection { get; private set; } = null!;

    protected IChannel Channel { get; private set; } = null!;

    protected virtual QueueOptions Options => new() { LeaseTime = TimeSpan.FromSeconds(6), Retry = new RetrySchedule { Steps = [TimeSpan.FromSeconds(1)] } };

    private protected QueueNames Names { get; } = new("sisyphus");

    public virtual async ValueTask InitializeAsync()
    {
        Address = await fixture.NewVirtualHostAsync();
        Queue = Open();
        Connection = await new ConnectionFactory { Uri = Address, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Token);
        Channel = await Connection.CreateChannelAsync(new CreateChannelOptions(true, true, null), Token);
        await DeclareAsync();
        // https://www.rabbitmq.com/docs/firehose
        await fixture.Server.EvalAsync($"rabbit_trace:start(<<\"{Address.AbsolutePath[1..]}\">>)");
        await Channel.QueueDeclareAsync(Trace, true, false, false, cancellationToken: Token);
        await Channel.QueueBindAsync(Trace, "amq.rabbitmq.trace", "deliver.#", cancellationToken: Token);
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var item in Enumerable.Reverse(_open))
            await item.DisposeAsync();
        await Channel.DisposeAsync();
        await Connection.DisposeAsync();
        await fixture.Server.EvalAsync($"rabbit_trace:stop(<<\"{Address.AbsolutePath[1..]}\">>)");
        GC.SuppressFinalize(this);
    }

    /// <summary>What is there before any of ours.</summary>
    protected virtual Task DeclareAsync() => Channel.QueueDeclareAsync(Main, true, false, false, cancellationToken: Token);

    protected ITaskQueue Open(string more = "")
    {
        var queue = TaskQueues.Open(Address + more, Options);
        _open.Add(queue);
        return queue;
    }

    protected async Task<INodeSession> JoinAsync(string name = "node-1", ITaskQueue? queue = null)
    {
        var session = await (queue ?? Queue).JoinAsync(new NodeRegistration(name, 4, 8, 16L << 30, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        _open.Add(session);
        return session;
    }

    protected static async Task<IDelivery> ClaimAsync(INodeSession session, ClaimRequest? request = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        return await session.ClaimAsync(request ?? ClaimRequest.Anything, limit.Token);
    }

    protected static async Task AssertNothingToClaimAsync(INodeSession session)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ClaimAsync(ClaimRequest.Anything, limit.Token));
    }

    protected static TaskEnd Complete() => new() { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow };

    /// <summary>Publishes to a queue, or to an exchange.</summary>
    protected Task PublishAsync(string queue, ReadOnlyMemory<byte> body, BasicProperties? properties = null, string exchange = "") =>
        Channel.BasicPublishAsync(exchange, queue, mandatory: true, properties ?? new BasicProperties { Persistent = true, ContentType = "text/plain" }, body, Token).AsTask();

    protected Task PublishAsync(string queue, string text, BasicProperties? properties = null, string exchange = "") => PublishAsync(queue, Encoding.UTF8.GetBytes(text), properties, exchange);

    /// <param name="headers">One of <see cref="StrangeHeaders"/>.</param>
    /// <exception cref="InvalidOperationException">The broker refuses it.</exception>
    private protected async Task PublishStrangeAsync(string queue, string headers, string text = "hello", string exchange = "")
    {
        await using var client = await RawAmqpClient.ConnectAsync(Address, Token);
        await client.PublishAsync(exchange, queue, Encoding.UTF8.GetBytes(text), new RawProperties(Headers: StrangeHeaders.All[headers]), Token);
        await client.CloseAsync(Token);
    }

    protected async Task<IReadOnlyList<DeadLetter>> LettersAsync()
    {
        var letters = new List<DeadLetter>();
        await foreach (var letter in Queue.GetDeadLettersAsync([], Token))
            letters.Add(letter);
        return letters;
    }

    /// <summary>Asks until the answer is as it should be.</summary>
    protected static async Task<T> EventuallyAsync<T>(Func<Task<T>> ask, Func<T, bool> enough)
    {
        for (var since = Stopwatch.GetTimestamp(); ;)
        {
            var answer = await ask();
            if (enough(answer))
                return answer;
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"Still {answer}.");
            await Task.Delay(50, Token);
        }
    }

    /// <returns>Messages that wait in the queue; null when there is none of the name.</returns>
    protected async Task<long?> CountAsync(string queue)
    {
        await using var channel = await Connection.CreateChannelAsync(cancellationToken: Token);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue, Token)).MessageCount;
        }
        catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    /// <summary>What the broker has delivered from each queue until now, by the message's id.</summary>
    protected async Task<IReadOnlyList<(string Queue, string Id)>> DeliveriesAsync()
    {
        var deliveries = new List<(string, string)>();
        while (await Channel.BasicGetAsync(Trace, true, Token) is { } trace)
        {
            var properties = (IDictionary<string, object?>)trace.BasicProperties.Headers!["properties"]!;
            deliveries.Add((trace.RoutingKey["deliver.".Length..], properties.TryGetValue("message_id", out var id) ? Convert.ToString(id is byte[] bytes ? Encoding.UTF8.GetString(bytes) : id, CultureInfo.InvariantCulture)! : ""));
        }
        return deliveries;
    }
}
