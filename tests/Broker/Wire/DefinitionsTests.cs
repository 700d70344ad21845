using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>A user who may declare nothing, on a stock broker into which an administrator has imported docs/rabbitmq-definitions.json.</summary>
public sealed class DefinitionsTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>, IAsyncLifetime
{
    private const string Password = "secret-of-the-node";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<IAsyncDisposable> _open = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string DefinitionsFile => Path.Combine(AppContext.BaseDirectory, "Wire", "rabbitmq-definitions.json");

    public async ValueTask InitializeAsync()
    {
        await fixture.Server.RunControlAsync("import_definitions", DefinitionsFile);
        // Beside it the same for a lease time and a delay that a test can wait for.
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, Shorter(await File.ReadAllTextAsync(DefinitionsFile, Token)), Token);
            await fixture.Server.RunControlAsync("import_definitions", file);
        }
        finally
        {
            File.Delete(file);
        }
        await fixture.Server.RunControlAsync("change_password", "sisyphus", Password);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var item in Enumerable.Reverse(_open))
            await item.DisposeAsync();
    }

    [Fact]
    public async Task Node_WithoutTheRightToConfigure_DoesEverything()
    {
        var queue = Open();
        var session = await JoinAsync(queue);
        var outcomes = await queue.SendAsync([Doc("a"), Doc("b") with { Priority = 9 }, Doc("c") with { Priority = 0 }, Doc("d")], Token);
        Assert.All(outcomes, outcome => Assert.Equal((SendResult.Sent, ""), (outcome.Result, outcome.Message)));
        Assert.Contains("predeclared", (await queue.GetInfoAsync(Token)).Kind, StringComparison.Ordinal);

        var first = await ClaimAsync(session);
        Assert.Equal("b", first.Document.Id);
        for (var since = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(since) < 1.5 * Lease; await Task.Delay(Lease / 3, Token))
            Assert.Equal(LeaseState.Held, await first.RenewAsync(Token));
        Assert.True(await first.CompleteAsync(Complete(), Token));

        var second = await ClaimAsync(session);
        Assert.True(await second.RetryAsync(Failure(FailureReason.TransferFailed), Token));
        var third = await ClaimAsync(session);
        Assert.Equal(["a", "d"], new[] { second.Document.Id!, third.Document.Id! }.Order(StringComparer.Ordinal));
        Assert.True(await third.RejectAsync(Failure(FailureReason.ExecutorExit), Token));
        Assert.Equal(third.Document.Id, Assert.Single(await LettersAsync(queue)).Id);
        Assert.Equal([true], await queue.ResumeAsync([third.Document.Id!], Token));
        Assert.Empty(await LettersAsync(queue));
        Assert.Equal(CancelResult.Canceled, (await queue.CancelAsync(["c"], Token))[0].Result);
        List<string> claimed = [];
        for (var i = 0; i < 2; i++)
        {
            var task = await ClaimAsync(session);
            claimed.Add(task.Document.Id!);
            Assert.True(await task.CompleteAsync(Complete(), Token));
        }
        Assert.Equal(["a", "d"], claimed.Order(StringComparer.Ordinal));
        Assert.Equal("node-1", Assert.Single(await queue.GetNodesAsync(Token), node => node.State != NodeState.Left).Name);
        Assert.True(await queue.StopNodeAsync("node-1", NodeStop.Drain, Token));
    }

    [Fact]
    public async Task Node_NameOfALivingOne_IsRefused()
    {
        var session = await JoinAsync(Open());
        var error = await Assert.ThrowsAsync<QueueException>(() => JoinAsync(Open()));
        Assert.Equal(QueueFailure.NodeNameTaken, error.Failure);
        await session.DisposeAsync();
        await JoinAsync(Open());
    }

    [Fact]
    public async Task Node_Killed_LosesItsTaskToAnother()
    {
        var queue = Open();
        var session = await JoinAsync(queue);
        await queue.SendAsync([Doc("killed")], Token);
        await ClaimAsync(session);
        await ((RabbitMqNodeSession)session).KillAsync();
        var since = Stopwatch.GetTimestamp();
        var other = Open();
        var task = await ClaimAsync(await JoinAsync(other, "node-2"));
        Assert.Equal(("killed", 1), (task.Document.Id, task.Losses));
        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, 5 * Lease);
        Assert.True(await task.CompleteAsync(Complete(), Token));
        // The name is free again at once.
        await JoinAsync(other);
    }

    [Fact]
    public async Task LettersAsync_TwoAtOnce_EachSeesAll()
    {
        var queue = Open();
        var session = await JoinAsync(queue);
        await queue.SendAsync([Doc("x"), Doc("y")], Token);
        for (var i = 0; i < 2; i++)
            await (await ClaimAsync(session)).RejectAsync(Failure(FailureReason.ExecutorExit), Token);
        var readings = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => LettersAsync(Open())));
        Assert.All(readings, letters => Assert.Equal(["x", "y"], letters.Select(letter => letter.Id).Order(StringComparer.Ordinal)));
        Assert.Equal([true, true], await queue.ResumeAsync(["x", "y"], Token));
        for (var i = 0; i < 2; i++)
            await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
    }

    [Fact]
    public async Task SendAsync_WorkflowThatNobodyDeclared_NamesTheQueueAndTheFile()
    {
        var error = await Assert.ThrowsAsync<QueueException>(() => Open().SendAsync([Doc("w") with { Workflow = "sisyphus.w" }], Token));
        AssertDenied(error, "sisyphus.w-queue");
        AssertDenied(await Assert.ThrowsAsync<QueueException>(() => JoinAsync(Open(), "node-3")), "sisyphus.node.node-3");
    }

    private static void AssertDenied(QueueException error, string queue)
    {
        Assert.Equal(QueueFailure.Denied, error.Failure);
        Assert.Contains($"declare the queue {queue}", error.Message, StringComparison.Ordinal);
        Assert.Contains("docs/rabbitmq-definitions.json", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, error.ToString(), StringComparison.Ordinal);
    }

    private static string Shorter(string definitions)
    {
        var queues = JsonNode.Parse(definitions)!["queues"]!.AsArray().Select(queue => queue!.DeepClone()).Where(queue => ((string)queue["name"]!).StartsWith("sisyphus.lease.", StringComparison.Ordinal) || (string)queue["name"]! == "sisyphus.retry.10s").ToArray();
        foreach (var queue in queues)
        {
            var isLease = ((string)queue["name"]!).StartsWith("sisyphus.lease.", StringComparison.Ordinal);
            queue["name"] = isLease ? (string)queue["name"]! + "@6s" : "sisyphus.retry.1s";
            queue["arguments"]!["x-message-ttl"] = isLease ? (int)Lease.TotalMilliseconds : 1000;
        }
        return new JsonObject { ["queues"] = new JsonArray(queues) }.ToJsonString(JsonSerializerOptions.Default);
    }

    private ITaskQueue Open()
    {
        var queue = TaskQueues.Open(fixture.Server.UriOf("sisyphus", Password).ToString(), new QueueOptions { LeaseTime = Lease, Retry = new RetrySchedule { Steps = [TimeSpan.FromSeconds(1)] } });
        _open.Add(queue);
        return queue;
    }

    private async Task<INodeSession> JoinAsync(ITaskQueue queue, string name = "node-1")
    {
        var session = await queue.JoinAsync(new NodeRegistration(name, 4, 8, 16L << 30, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        _open.Add(session);
        return session;
    }

    private static async Task<IDelivery> ClaimAsync(INodeSession session)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        return await session.ClaimAsync(ClaimRequest.Anything, limit.Token);
    }

    private static async Task<IReadOnlyList<DeadLetter>> LettersAsync(ITaskQueue queue)
    {
        var letters = new List<DeadLetter>();
        await foreach (var letter in queue.GetDeadLettersAsync([], Token))
            letters.Add(letter);
        return letters;
    }

    private static TaskDocument Doc(string id) => TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes($$"""{"id": "{{id}}", "image": "tools:1", "commands": [{"command": ["true"]}]}"""))[0];

    private static TaskEnd Complete() => new() { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow };

    private static TaskEnd Failure(FailureReason reason) => new() { State = reason.ToState(), Reason = reason, Message = "it failed", Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow };
}
