using System.Diagnostics;
using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Brokers that were set up without quorum queues, or without streams.</summary>
public sealed class MissingKindsTests
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(30);

    private static readonly Func<ITaskQueue, Task>[] s_declaring = [queue => JoinAsync(queue), queue => queue.SendAsync([Document], Token), queue => queue.GetInfoAsync(Token)];

    private static readonly Func<ITaskQueue, Task>[] s_reading =
    [
        queue => queue.CancelAsync(["some"], Token),
        queue => queue.GetTasksAsync(new TaskQuery(), Token).GetAsyncEnumerator(Token).MoveNextAsync().AsTask(),
        queue => queue.ReadEventsAsync(new EventQuery { After = 0, Follow = true }, Token).GetAsyncEnumerator(Token).MoveNextAsync().AsTask(),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TaskDocument Document => TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"id": "some", "image": "tools:1", "commands": [{"command": ["true"]}]}"""))[0];

    [Fact]
    public async Task Node_BrokerWithoutQuorumQueues_WorksOnClassicOnesAndSaysSo()
    {
        await using var server = new BrokerServer();
        await server.StartAsync();
        await server.RefuseQuorumAsync();
        await using var queue = TaskQueues.Open(server.AmqpUri.ToString(), Options);
        await using (var session = await JoinAsync(queue))
        {
            Assert.Contains(" classic (it has no quorum) queues, events on a stream", (await queue.GetInfoAsync(Token)).Kind, StringComparison.Ordinal);
            // Over all queues there are: its lane of another priority, its lease queue, a delay, the dead letters, the front of its lane.
            Assert.Equal(SendResult.Sent, Assert.Single(await queue.SendAsync([Document with { Priority = 7 }], Token)).Result);
            var delivery = await ClaimAsync(session);
            Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
            Assert.True(await delivery.RetryAsync(Failure(FailureReason.TransferFailed), Token));
            Assert.True(await (await ClaimAsync(session)).RejectAsync(Failure(FailureReason.ExecutorExit), Token));
            Assert.Equal([true], await queue.ResumeAsync(["some"], Token));
            Assert.True(await (await ClaimAsync(session)).CompleteAsync(Complete(), Token));
        }
        var kinds = (await server.RunControlAsync("list_queues", "name", "type")).Split('\n').Select(line => line.Split('\t')).ToDictionary(cells => cells[0], cells => cells[1]);
        Assert.Equal("classic", kinds["sisyphus.lease.node-1@6s"]);
        Assert.DoesNotContain("quorum", kinds.Values);

        // Another one finds all there, and asks for nothing that could be refused.
        await using var other = TaskQueues.Open(server.AmqpUri.ToString(), Options);
        Assert.Contains(", classic queues,", (await other.GetInfoAsync(Token)).Kind, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetInfoAsync_ClassicQueuesOfBefore_DoesNotSayThatTheBrokerLacksQuorum()
    {
        await using var server = new BrokerServer();
        await server.StartAsync();
        await using (var classic = TaskQueues.Open(server.AmqpUri + "?queues=classic", Options))
            Assert.Contains(", classic queues,", (await classic.GetInfoAsync(Token)).Kind, StringComparison.Ordinal);
        await using var queue = TaskQueues.Open(server.AmqpUri.ToString(), Options);
        Assert.Contains(", classic queues,", (await queue.GetInfoAsync(Token)).Kind, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_QuorumAskedForAndRefused_SaysWhatToDo()
    {
        await using var server = new BrokerServer();
        await server.StartAsync();
        await server.RefuseQuorumAsync();
        await AssertRefusedAsync(server.AmqpUri + "?queues=quorum", s_declaring, "set up without quorum queues", "rabbitmqctl enable_feature_flag all", "leave queues=quorum out");
    }

    [Theory, InlineData("auto"), InlineData("quorum"), InlineData("classic")]
    public async Task Any_BrokerWithoutStreams_SaysWhatToDo(string kind)
    {
        await using var server = new BrokerServer(new BrokerOptions { IsBare = true });
        await server.StartAsync();
        if (await server.EvalAsync("rabbit_feature_flags:is_enabled(stream_queue)") == "true")
            Assert.Skip("This version always has streams.");
        await AssertRefusedAsync(server.AmqpUri + "?queues=" + kind, s_declaring, "set up without", "rabbitmqctl enable_feature_flag all");
        await AssertRefusedAsync(server.AmqpUri + "?queues=" + kind, s_reading, "set up without streams", "rabbitmqctl enable_feature_flag all");

        // As the message says.
        await server.RunControlAsync("enable_feature_flag", "all");
        await using var queue = TaskQueues.Open(server.AmqpUri + "?queues=" + kind, Options);
        await using var session = await JoinAsync(queue);
        Assert.Equal(SendResult.Sent, Assert.Single(await queue.SendAsync([Document], Token)).Result);
        Assert.True(await (await ClaimAsync(session)).CompleteAsync(Complete(), Token));
    }

    private static QueueOptions Options => new() { LeaseTime = TimeSpan.FromSeconds(6), Retry = new RetrySchedule { Steps = [TimeSpan.FromSeconds(1)] } };

    private static Task<INodeSession> JoinAsync(ITaskQueue queue) => queue.JoinAsync(new NodeRegistration("node-1", 4, 8, 16L << 30, "Tests 1", TimeSpan.FromSeconds(5)), Token);

    private static Task<IDelivery> ClaimAsync(INodeSession session) => session.ClaimAsync(ClaimRequest.Anything, Token).WaitAsync(s_connectTimeout, Token);

    private static TaskEnd Complete() => new() { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow };

    private static TaskEnd Failure(FailureReason reason) => new() { State = reason.ToState(), Reason = reason, Message = "it failed", Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow };

    /// <summary>Each by itself, as cmdlets do.</summary>
    private static async Task AssertRefusedAsync(string address, Func<ITaskQueue, Task>[] all, params string[] words)
    {
        foreach (var act in all)
        {
            await using var queue = TaskQueues.Open(address, Options);
            var since = Stopwatch.GetTimestamp();
            var error = await Assert.ThrowsAsync<QueueException>(() => act(queue));
            Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, s_connectTimeout);
            Assert.Equal(QueueFailure.Denied, error.Failure);
            Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
            Assert.DoesNotContain("guest:guest", error.ToString(), StringComparison.Ordinal);
            TestContext.Current.TestOutputHelper?.WriteLine($"{Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s: {error.Message}");
        }
    }
}
