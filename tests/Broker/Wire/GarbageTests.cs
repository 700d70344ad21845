using System.Text;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>What others write into the nodes' own queues and streams stops no node.</summary>
public sealed class GarbageTests(BrokerFixture fixture, ITestOutputHelper output) : WireTest(fixture)
{
    private const string Bus = "sisyphus.bus";

    public static TheoryData<string> Places => ["sisyphus.returns", "sisyphus.lease.node-1@6s", "sisyphus.retry.1s", "sisyphus.retry.3s", "sisyphus.dead", "sisyphus.node.node-1", "sisyphus.events", "sisyphus.heartbeats", "sisyphus-queue.front"];

    public static TheoryData<string> Entries =>
    [
        "", "hello", "[", "null", "[null]", "[{}]", "[[[]]]", "{}", "\"x\"", """[{"kind": "Unknown", "time": "2024-01-01T00:00:00Z"}]""",
        With("TaskSent", """ "task": "../x" """), With("TaskSent", """ "task": "x", "priority": 999, "workflow": "a" """), With("TaskSent", """ "task": "x", "priority": -1 """),
        With("TaskSent", $$""" "task": "x", "priority": 3, "workflow": "{{new string('w', 300)}}" """), With("TaskSent", """ "task": "x", "priority": 3, "workflow": "amq.x" """),
        With("TaskClaimed", """ "task": "good", "claim": 9223372036854775807, "node": "node-9", "session": "s", "state": "Running" """), With("TaskClaimed", """ "task": "good", "claim": -1, "session": "s", "state": 77 """),
        With("TaskProgressed", """ "task": "x", "state": 77 """), With("TaskEnded", """ "task": "x", "reason": -3, "state": "Complete" """), With("TaskRetried", """ "task": "x", "claim": 1, "notBefore": "9999-12-31T23:59:59Z", "exitCodes": null """),
        With("NodeJoined", """ "node": "node-8", "session": "s" """), With("NodeJoined", """ "node": "node-8", "session": "s", "registration": {} """),
        With("NodeJoined", """ "node": "node-8", "session": "s", "registration": {"name": "node-8", "concurrency": -1, "cpus": 1e308, "memory": -1, "software": "x", "heartbeatInterval": "10000000.00:00:00", "machine": null} """),
        With("NodeHeartbeat", """ "node": "node-1", "session": "s", "status": {} """), With("NodeHeartbeat", """ "node": "node-1", "session": "s", "status": {"state": 99, "tasks": null, "message": null} """),
        With("NodeStop", """ "node": "node-1", "stop": 99 """), With("NodeStop", """ "node": "", "stop": "Drain" """), With("CancelRequested", """ "task": "" """), With("Marker", """ "mark": "" """),
        With("TaskClaimed", """ "task": "good", "claim": 1125899906842624, "node": "node-9", "session": "s", "state": "Initializing" """),
        With("OutputWish", """ "tasks": [null] """), With("OutputWish", """ "tasks": ["../x"] """), With("NodeHeartbeat", """ "node": "node-1", "session": "s", "status": {"state": "Busy", "tasks": [null], "message": ""} """),
        With("LaneOpened", """ "workflow": "a b", "priority": 4 """),
        """[{"kind": 9999, "time": "2024-01-01T00:00:00Z"}, {"kind": -1, "time": "0001-01-01T00:00:00Z", "task": "x"}]""",
    ];

    [Theory, MemberData(nameof(Places))]
    public async Task Garbage_InAnyQueue_StopsNobody(string queue)
    {
        var session = await JoinAsync();
        await MakeAllQueuesAsync(session);
        var claiming = ClaimAsync(session);
        foreach (var poison in Poison.All.Values)
            await PublishAsync(queue, poison.Body, new BasicProperties { Persistent = true, ContentType = poison.ContentType, ContentEncoding = poison.ContentEncoding });
        await PublishAsync(queue, "hello", new BasicProperties { ReplyTo = Main, CorrelationId = "x", Headers = new Dictionary<string, object?> { ["task"] = "good", ["claims"] = "x" } });
        await PublishAsync(queue, "hello", new BasicProperties { ReplyTo = "amq.rabbitmq.reply-to.nobody", Headers = new Dictionary<string, object?> { ["task"] = "", ["claims"] = 1L } });
        await AssertWorksAsync(session, claiming);
        if (queue is "sisyphus.returns" or "sisyphus-queue.front" || queue.StartsWith("sisyphus.lease", StringComparison.Ordinal) || queue.StartsWith("sisyphus.retry", StringComparison.Ordinal))
        {
            var letters = await EventuallyAsync(LettersAsync, letters => letters.Count == Poison.All.Count + 2);
            Assert.All(letters, letter => Assert.Equal(FailureReason.InvalidDocument, letter.Reason));
        }
        Assert.Equal(0, await CountAsync(Main));
        if (queue != "sisyphus.dead")
            return;
        // Each is listed, also those that say nothing of themselves.
        Assert.Equal(Poison.All.Values.Select(poison => Convert.ToHexString(poison.Body)).Distinct().Count(), (await LettersAsync()).Count);
    }

    [Theory, MemberData(nameof(Entries))]
    public async Task Garbage_OnTheBus_StopsNobody(string entries)
    {
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        foreach (var key in (string[])["task.x.TaskSent", "tasks.sent", "node.node-1.NodeStop", "heartbeat.node-1"])
            await PublishAsync(key, entries, exchange: Bus);
        await PublishAsync("sisyphus.events", Encoding.UTF8.GetBytes(entries));
        await AssertWorksAsync(session, claiming);
        // One that comes later reads it all.
        var other = Open();
        Assert.Equal("next", (await SendAndClaimAsync(await JoinAsync("node-2", other), "next")).Document.Id);
    }

    [Theory, MemberData(nameof(Places))]
    public async Task StrangeHeaders_InAnyQueue_StopNobody(string queue)
    {
        var session = await JoinAsync();
        await MakeAllQueuesAsync(session);
        var claiming = ClaimAsync(session);
        await PublishEachAsync(queue);
        await AssertWorksAsync(session, claiming);
        Assert.Equal("next", (await SendAndClaimAsync(await JoinAsync("node-2", Open()), "next")).Document.Id);
    }

    [Theory, InlineData("task.x.TaskSent"), InlineData("heartbeat.node-1")]
    public async Task StrangeHeaders_OnTheBus_StopNobody(string key)
    {
        var session = await JoinAsync();
        var claiming = ClaimAsync(session);
        await PublishEachAsync(key, Bus);
        await AssertWorksAsync(session, claiming);
        Assert.Equal("next", (await SendAndClaimAsync(await JoinAsync("node-2", Open()), "next")).Document.Id);
    }

    /// <summary>A stream does not take all of them. The tables would cost the broker seconds in each place, because it traces.</summary>
    private async Task PublishEachAsync(string queue, string exchange = "")
    {
        foreach (var headers in (string[])["decimal of 200 places", "arrays in arrays"])
        {
            try
            {
                await PublishStrangeAsync(queue, headers, exchange: exchange);
            }
            catch (InvalidOperationException refused) when (exchange == Bus || queue is "sisyphus.events" or "sisyphus.heartbeats")
            {
                Assert.Contains("541", refused.Message, StringComparison.Ordinal);
                output.WriteLine($"{queue} takes no {headers}.");
            }
        }
    }

    private static string With(string kind, string more) => $$"""[{"kind": "{{kind}}", "time": "2024-01-01T00:00:00Z", {{more}} }]""";

    private async Task MakeAllQueuesAsync(INodeSession session)
    {
        Assert.Empty(await LettersAsync());
        // One that does not fit is put aside for three seconds, one that fails for one.
        var large = """{"id": "large", "image": "tools:1", "resources": {"cpus": 4}, "commands": [{"command": ["true"]}]}""";
        await PublishAsync(Main, large);
        var small = session.ClaimAsync(new ClaimRequest(1, 1 << 30, []), Token);
        await PublishAsync(Main, """{"id": "small", "image": "tools:1", "commands": [{"command": ["true"]}]}""");
        await (await small).RetryAsync(new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.TransferFailed, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, Token);
        for (var i = 0; i < 2; i++)
            await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
    }

    private async Task<IDelivery> SendAndClaimAsync(INodeSession session, string id)
    {
        var claiming = ClaimAsync(session);
        await PublishAsync(Main, GoodDocument.Replace("good", id, StringComparison.Ordinal));
        return await claiming;
    }

    private async Task AssertWorksAsync(INodeSession session, Task<IDelivery> claiming)
    {
        await PublishAsync(Main, GoodDocument);
        var task = await claiming;
        Assert.Equal("good", task.Document.Id);
        Assert.Equal(LeaseState.Held, await task.RenewAsync(Token));
        await session.HeartbeatAsync(new NodeStatus(NodeState.Busy, ["good"], 1, 1, null, 0, ""), Token);
        Assert.Contains(await Queue.GetNodesAsync(Token), node => node is { Name: "node-1", State: not NodeState.Lost });
        Assert.True(await task.CompleteAsync(Complete(), Token));
        await foreach (var summary in Queue.GetTasksAsync(new TaskQuery { Ids = ["good"] }, Token))
            Assert.Equal(TaskState.Complete, summary.State);
        await Queue.GetInfoAsync(Token);
        await LettersAsync();
        await foreach (var happened in Queue.ReadEventsAsync(new EventQuery(), Token))
            Assert.True(Enum.IsDefined(happened.Kind));
    }
}
