using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker.Foreign;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Clients of CovertLab's Sisyphus and ours on one broker.</summary>
public sealed class OriginalTests(BrokerFixture fixture) : WireTest(fixture)
{
    private const string Exchange = "sisyphus-exchange";
    private const string Key = "sisyphus-task";
    private const string Document = """{"image": "alpine:1", "commands": [{"command": ["true"]}]}""";

    protected override Task DeclareAsync() => Task.CompletedTask;

    [Theory, InlineData(true), InlineData(false)]
    public async Task Pika_BeforeOrAfterANode_IsServed(bool isFirst)
    {
        if (isFirst)
            await OriginalClient.SendAsync(Address, [Document, Document]);
        var session = await JoinAsync();
        if (!isFirst)
            await OriginalClient.SendAsync(Address, [Document, Document]);
        var tasks = new[] { await ClaimAsync(session), await ClaimAsync(session) };
        // Each message is a task of its own.
        Assert.NotEqual(tasks[0].Document.Id, tasks[1].Document.Id);
        Assert.All(tasks, task => Assert.Equal("alpine:1", task.Document.Image));
        foreach (var task in tasks)
            Assert.True(await task.CompleteAsync(Complete(), Token));
        // Again, when all is there.
        await OriginalClient.SendAsync(Address, [Document]);
        await ClaimAsync(session);
    }

    [Fact]
    public async Task Pika_BadTask_IsToldByADeadLetter()
    {
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        await OriginalClient.SendAsync(Address, ["""{"image": "ä:1"}""", Document]);
        await claiming;
        await EventuallyAsync(() => CountAsync(Names.Dead), count => count == 1);
        using var letter = JsonDocument.Parse(Assert.Single(await OriginalClient.ReadLettersAsync(Address)));
        Assert.Equal("invalid_document", letter.RootElement.GetProperty("reason").GetString());
        Assert.Contains("ä:1", letter.RootElement.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("""{"image": "ä:1"}""", letter.RootElement.GetProperty("body").GetString());
        Assert.True(TaskId.IsValid(letter.RootElement.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Pika_Workflow_IsServedByNodesThatAreToldOfItAndThenByAll()
    {
        await OriginalClient.SendAsync(Address, [Document], "align");
        var session = await JoinAsync();
        await AssertNothingToClaimAsync(session);
        var other = await JoinAsync("node-2");
        var task = await ClaimAsync(other, new ClaimRequest(8, 1L << 40, ["align"]));
        Assert.Equal("align", task.Document.Workflow);
        await task.ReleaseAsync("test", Token);
        var again = await ClaimAsync(session);
        Assert.Equal((task.Document.Id, "align"), (again.Document.Id, again.Document.Workflow));
        await again.RetryAsync(new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.TransferFailed, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, Token);
        Assert.Equal(task.Document.Id, (await ClaimAsync(session)).Document.Id);
        Assert.Equal((0, 0), (await CountAsync("align-queue.front"), await CountAsync(Main)));
    }

    [Theory, InlineData("text/plain", (byte)2), InlineData("application/json; charset=utf-8", (byte)1), InlineData(null, null)]
    public async Task Raw_Message_IsClaimed(string? contentType, byte? deliveryMode)
    {
        var session = await JoinAsync();
        await using var client = await RawAmqpClient.ConnectAsync(Address, Token);
        await client.PublishAsync(Exchange, Key, Encoding.UTF8.GetBytes(Document), new RawProperties(contentType, deliveryMode), Token);
        await client.CloseAsync(Token);
        Assert.Equal("alpine:1", (await ClaimAsync(session)).Document.Image);
    }

    [Theory, InlineData("mine-1", "mine-1"), InlineData("not a valid id", null), InlineData(null, null)]
    public async Task Claim_MessageId_IsTheIdWhereItIsOne(string? messageId, string? id)
    {
        var session = await JoinAsync();
        await PublishAsync(Key, Document, new BasicProperties { MessageId = messageId }, Exchange);
        var task = await ClaimAsync(session);
        Assert.True(id is null ? TaskId.IsValid(task.Document.Id) && task.Document.Id != messageId : task.Document.Id == id);
    }

    public static TheoryData<string, object> Arguments => new()
    {
        { "x-max-priority", 10 }, { "x-message-ttl", 3_600_000 }, { "x-queue-type", "quorum" }, { "x-queue-mode", "lazy" }, { "x-max-length", 1000 }, { "x-dead-letter-exchange", "amq.fanout" },
        { "x-single-active-consumer", true }, { "x-expires", 3_600_000 },
    };

    [Theory, MemberData(nameof(Arguments))]
    public async Task Queue_DeclaredOtherwise_IsUsedAsItIs(string name, object value)
    {
        await Channel.QueueDeclareAsync(Main, true, false, false, new Dictionary<string, object?> { [name] = value }, cancellationToken: Token);
        var sessions = new[] { await JoinAsync(), await JoinAsync("node-2") };
        var claiming = sessions.Select(session => ClaimAsync(session)).ToArray();
        await Queue.SendAsync([TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(GoodDocument))[0]], Token);
        await PublishAsync(Key, Document, new BasicProperties { MessageId = "other", Priority = 5 }, Exchange);
        var tasks = await Task.WhenAll(claiming);
        Assert.Equal(["good", "other"], tasks.Select(task => task.Document.Id!).Order(StringComparer.Ordinal));
        await tasks[0].ReleaseAsync("test", Token);
        Assert.Equal(tasks[0].Document.Id, (await ClaimAsync(sessions[1])).Document.Id);
    }

    [Theory, InlineData("direct", true), InlineData("fanout", false), InlineData("topic", true), InlineData("headers", false)]
    public async Task Exchange_DeclaredOtherwise_IsUsedAsItIs(string type, bool durable)
    {
        await Channel.ExchangeDeclareAsync(Exchange, type, durable, cancellationToken: Token);
        var session = await JoinAsync();
        await PublishAsync(Key, Document, exchange: Exchange);
        await ClaimAsync(session);
        await Queue.SendAsync([TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(GoodDocument))[0]], Token);
        Assert.Equal("good", (await ClaimAsync(session)).Document.Id);
    }

    [Fact]
    public async Task Expiration_BeforeItIsOver_IsNotTakenAlong()
    {
        var session = await JoinAsync();
        await PublishAsync(Main, Document, new BasicProperties { Expiration = "1", MessageId = "late" });
        await PublishAsync(Main, Document, new BasicProperties { Expiration = "60000", MessageId = "early" });
        var task = await ClaimAsync(session);
        if (task.Document.Id == "late")
            task = await ClaimAsync(session);
        Assert.Equal("early", task.Document.Id);
    }
}
