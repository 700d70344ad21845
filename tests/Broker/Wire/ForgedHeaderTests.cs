using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Anybody who may send can write our headers: then nothing happens that he could not do himself.</summary>
public sealed class ForgedHeaderTests(BrokerFixture fixture) : WireTest(fixture)
{
    private const string Nameless = """{"image": "tools:1", "commands": [{"command": ["true"]}]}""";

    private static BasicProperties With(params (string Name, object? Value)[] headers) =>
        new() { Persistent = true, MessageId = "sent", Headers = headers.Reverse().DistinctBy(header => header.Name).ToDictionary(header => header.Name, header => header.Value) };

    private static BasicProperties Ticket(params (string Name, object? Value)[] more) => With([("sisyphus-id", "sent"), ("sisyphus-lane", Main), .. more]);

    public static TheoryData<string> Types => ["numbers", "tables", "lists", "nothing", "long", "invalid text"];

    [Theory, MemberData(nameof(Types))]
    public async Task Claim_HeadersOfOtherTypes_AreNoHeaders(string kind)
    {
        object? value = kind switch
        {
            "numbers" => 5,
            "tables" => new Dictionary<string, object?> { ["a"] = 1 },
            "lists" => new List<object> { 1, "a" },
            "nothing" => null,
            "long" => new string('x', 5000),
            _ => new byte[] { 0xFF, 0xFE, 0 },
        };
        string[] names = ["id", "lane", "sent", "claims", "failed-attempts", "losses", "attempts", "owner", "session", "epoch", "claimed", "letter"];
        await PublishAsync(Main, Nameless, With([.. names.Select(name => ("sisyphus-" + name, value)), ("x-delivery-count", value)]));
        await AssertRunsAsync(await JoinAsync(), failedAttempts: 0, losses: 0);
    }

    [Theory, InlineData(-5L, 0), InlineData(long.MinValue, 0), InlineData(long.MaxValue, 1_000_000), InlineData(1L, 1)]
    public async Task Claim_NumbersOutOfRange_AreCut(long number, int counted)
    {
        await PublishAsync(Main, Nameless, Ticket(
            ("sisyphus-claims", number), ("sisyphus-failed-attempts", number), ("sisyphus-losses", number), ("sisyphus-epoch", number), ("sisyphus-sent", number), ("sisyphus-claimed", number), ("x-delivery-count", number)));
        await AssertRunsAsync(await JoinAsync(), counted, counted);
    }

    [Theory, InlineData((1L << 30) + 1), InlineData(1L << 40), InlineData((1L << 40) + 1), InlineData(long.MaxValue)]
    public async Task Claim_AbsurdNumberOfClaims_OutlivesItsNode(long claims)
    {
        await PublishAsync(Main, Nameless, Ticket(("sisyphus-claims", claims)));
        var session = await JoinAsync();
        await ClaimAsync(session);
        await ((RabbitMqNodeSession)session).KillAsync();
        await AssertRunsAsync(await JoinAsync("node-2"), 0, 1);
    }

    [Theory, InlineData("node-1"), InlineData("node-2"), InlineData("gone"), InlineData("../../x"), InlineData("sisyphus.dead")]
    public async Task Claim_OwnerInTheTaskQueue_MeansNothing(string owner)
    {
        var session = await JoinAsync();
        await JoinAsync("node-2");
        await PublishAsync(Main, Nameless, Ticket(("sisyphus-owner", owner), ("sisyphus-session", "s"), ("sisyphus-claims", 3L)));
        await AssertRunsAsync(session, 0, 0);
    }

    [Theory, InlineData("node-1", 1), InlineData("node-2", 1), InlineData("gone", 1), InlineData("../../x", 0)]
    public async Task Return_LeaseThatNobodyHas_IsATask(string owner, int losses)
    {
        var session = await JoinAsync();
        await JoinAsync("node-2");
        await PublishAsync(Names.Returns, Nameless, Ticket(("sisyphus-owner", owner), ("sisyphus-session", "s"), ("sisyphus-claims", 3L)));
        await AssertRunsAsync(session, 0, losses);
    }

    [Theory, InlineData("payments-queue", false), InlineData("payments-queue.p7", false), InlineData("payments", false), InlineData("sisyphus.dead", true), InlineData("sisyphus.events", true), InlineData("amq.gen-x", true), InlineData("sisyphus-queue.p4", false), InlineData("sisyphus-queue.front", true)]
    public async Task Return_LaneThatIsNone_IsNotPublishedTo(string lane, bool isOurs)
    {
        if (!isOurs)
            await Channel.QueueDeclareAsync(lane, true, false, false, cancellationToken: Token);
        var session = await JoinAsync();
        await PublishAsync(Names.Returns, Nameless, Ticket(("sisyphus-lane", lane)));
        await AssertRunsAsync(session, 0, 0);
        Assert.Null(await CountAsync(lane + ".front"));
        if (!isOurs)
            Assert.Equal(0, await CountAsync(lane));
        Assert.Empty(await LettersAsync());
    }

    [Fact]
    public async Task Claim_LaneOfAnotherQueue_IsThatOfTheQueueWhereItWas()
    {
        await Channel.QueueDeclareAsync("payments-queue", true, false, false, cancellationToken: Token);
        var session = await JoinAsync();
        await PublishAsync(Main, Nameless, Ticket(("sisyphus-lane", "payments-queue")));
        await (await ClaimAsync(session)).ReleaseAsync("test", Token);
        await AssertRunsAsync(session, 0, 0);
        Assert.Equal((0, null), (await CountAsync("payments-queue"), await CountAsync("payments-queue.front")));
    }

    [Fact]
    public async Task Resume_LetterWithAForgedLane_GoesToTheTaskQueue()
    {
        await Channel.QueueDeclareAsync("payments-queue", true, false, false, cancellationToken: Token);
        var session = await JoinAsync();
        Assert.Empty(await LettersAsync());
        await PublishAsync(Names.Dead, Nameless, Ticket(("sisyphus-lane", "payments-queue")));
        Assert.Equal([true], await Queue.ResumeAsync(["sent"], Token));
        await AssertRunsAsync(session, 0, 0);
        Assert.Equal((0, null), (await CountAsync("payments-queue"), await CountAsync("payments-queue.front")));
    }

    [Fact]
    public async Task Resume_LetterOfATaskThatRuns_LeavesTheTaskAlone()
    {
        await Queue.SendAsync([TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(GoodDocument))[0]], Token);
        var session = await JoinAsync();
        Assert.Empty(await LettersAsync());
        var good = await ClaimAsync(session);
        await PublishAsync(Names.Dead, GoodDocument, With(("sisyphus-id", "good"), ("sisyphus-lane", Main)));
        Assert.Equal([false], await Queue.ResumeAsync(["good"], Token));
        await AssertNothingToClaimAsync(session);
        Assert.True(await good.CompleteAsync(Complete(), Token));
        // What the log contradicts is no dead letter.
        Assert.Equal([false], await Queue.ResumeAsync(["good"], Token));
        Assert.Empty(await LettersAsync());
        await AssertNothingToClaimAsync(session);
    }

    [Fact]
    public async Task Cancel_IdThatTheLogDoesNotKnow_NeverStartsWhenItIsMet()
    {
        await PublishAsync(Main, GoodDocument);
        Assert.Equal(new CancelOutcome("good", CancelResult.Unknown, null), Assert.Single(await Queue.CancelAsync(["good"], Token)));
        Assert.Equal(CancelResult.Unknown, Assert.Single(await Queue.CancelAsync(["../x"], Token)).Result);
        await AssertNothingToClaimAsync(await JoinAsync());
        Assert.Equal(0, await CountAsync(Main));
        await foreach (var task in Queue.GetTasksAsync(new TaskQuery(), Token))
            Assert.Equal(("good", TaskState.Canceled), (task.Id, task.State));
    }

    [Fact]
    public async Task Claim_IdOfAnotherTask_DoesThatTaskNoHarm()
    {
        await Queue.SendAsync([TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(GoodDocument))[0]], Token);
        var session = await JoinAsync();
        var good = await ClaimAsync(session);
        await PublishAsync(Main, """{"id": "other", "image": "tools:1", "commands": [{"command": ["true"]}]}""", With(("sisyphus-id", "good"), ("sisyphus-lane", Main)));
        await PublishAsync(Main, "hello", new BasicProperties { MessageId = "good" });
        await AssertNothingToClaimAsync(session);
        Assert.Equal(LeaseState.Held, await good.RenewAsync(Token));
        Assert.True(await good.CompleteAsync(Complete(), Token));
        var letters = await LettersAsync();
        Assert.Equal(2, letters.Count);
        Assert.DoesNotContain(letters, letter => letter.Id is "good" or "other");
    }

    [Fact]
    public async Task Claim_ForeignDeathsAndHeadersAndExpiration_AreNotTakenAlong()
    {
        var properties = Ticket(
            ("x-death", new List<object> { new Dictionary<string, object?> { ["count"] = 99L, ["queue"] = Names.Returns, ["reason"] = "expired", ["exchange"] = "" } }),
            ("x-first-death-queue", "elsewhere"), ("big", new string('x', 100_000)), ("x-delivery-count", 40L));
        properties.Expiration = "60000";
        properties.ReplyTo = "elsewhere";
        properties.UserId = "guest";
        await PublishAsync(Main, Nameless, properties);
        var session = await JoinAsync();
        await (await ClaimAsync(session)).ReleaseAsync("test", Token);
        var message = await EventuallyAsync(() => Channel.BasicGetAsync(Main + ".front", false, Token), message => message is not null);
        Assert.Null(message!.BasicProperties.Expiration);
        Assert.Null(message.BasicProperties.ReplyTo);
        Assert.All(message.BasicProperties.Headers!.Keys, name => Assert.True(name.StartsWith("sisyphus-", StringComparison.Ordinal) || name is "x-delivery-count" or "x-dotnet-pub-seq-no", name));
        await Channel.BasicNackAsync(message.DeliveryTag, false, true, Token);
        await AssertRunsAsync(session, 0, 0);
    }

    [Fact]
    public async Task Claim_HistoryOfAnySize_IsCutToWhatFits()
    {
        var attempt = """{"number": 1, "node": "n", "started": "2024-01-01T00:00:00Z", "finished": "2024-01-01T00:00:00Z", "reason": "NodeLost", "message": "MESSAGE"}""".Replace("MESSAGE", new string('ü', 500), StringComparison.Ordinal);
        var history = $"[null, {string.Join(',', Enumerable.Repeat(attempt, 55))}]";
        Assert.InRange(history.Length, 33_000, 64_000);
        await PublishAsync(Main, Nameless, Ticket(("sisyphus-attempts", Encoding.UTF8.GetBytes(history)), ("sisyphus-session", new string('s', 40_000))));
        var session = await JoinAsync();
        var task = await ClaimAsync(session);
        Assert.True(await task.RejectAsync(new TaskEnd
        {
            State = TaskState.ExecutorError, Reason = FailureReason.ExecutorExit, Message = new string('ü', 10_000), LogTail = new string('ü', TaskEnd.MaxLogTail), Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow,
        }, Token));
        var letter = Assert.Single(await LettersAsync());
        Assert.InRange(letter.Attempts.Count, 2, 50);
        Assert.Equal(FailureReason.ExecutorExit, letter.Attempts[^1].Reason);
        Assert.All(letter.Attempts, Assert.NotNull);
    }

    [Fact]
    public async Task Claim_OneIdTwice_RunsOnce()
    {
        await PublishAsync(Main, GoodDocument);
        await PublishAsync(Main, GoodDocument, new BasicProperties { MessageId = "another" });
        var session = await JoinAsync();
        var task = await ClaimAsync(session);
        await AssertNothingToClaimAsync(session);
        await task.CompleteAsync(Complete(), Token);
        await PublishAsync(Main, GoodDocument);
        await AssertNothingToClaimAsync(session);
        Assert.Equal(0, await CountAsync(Main));
        Assert.InRange((await DeliveriesAsync()).Count(delivery => delivery.Queue == Main), 3, 6);
    }

    [Fact]
    public async Task Claim_KeysOfALaterVersion_AreAWarning()
    {
        await PublishAsync(Main, """{"version": 99, "image": "tools:1", "commands": [{"command": ["true"], "gpu": {}}]}""", new BasicProperties { MessageId = "sent" });
        var task = await ClaimAsync(await JoinAsync());
        Assert.Equal(2, task.Warnings.Count);
    }

    [Theory, InlineData("2024-02-29T12:00:00Z"), InlineData("9999-12-31T23:59:59Z"), InlineData("0001-01-01T00:00:00Z")]
    public async Task Claim_Timestamp_IsWhenItWasSent(string time)
    {
        var sent = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
        await PublishAsync(Main, Nameless, new BasicProperties { Timestamp = new AmqpTimestamp(sent.ToUnixTimeSeconds()) });
        var task = await ClaimAsync(await JoinAsync());
        Assert.Equal(sent.Year == 1 ? DateTimeOffset.UtcNow.Year : sent.Year, task.Sent.Year);
    }

    private static async Task AssertRunsAsync(INodeSession session, int failedAttempts, int losses)
    {
        var task = await ClaimAsync(session);
        Assert.Equal(("sent", failedAttempts, losses), (task.Document.Id, task.FailedAttempts, task.Losses));
        Assert.Equal(LeaseState.Held, await task.RenewAsync(Token));
        Assert.True(await task.CompleteAsync(Complete(), Token));
        await AssertNothingToClaimAsync(session);
    }
}
