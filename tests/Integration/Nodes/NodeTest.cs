using System.Security.Cryptography;
using System.Text.Json;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>What the tests of nodes share: a queue, nodes over the real engine, and that nothing is left at the end.</summary>
public abstract class NodeTest : TaskTest
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <param name="address">Of a queue that is empty and no other test's; without it a file of this test.</param>
    protected NodeTest(EngineFixture engine, ShellImageFixture shell, string? address = null)
        : base(engine, shell)
    {
        Address = address ?? $"sqlite:{Path.Combine(Path.GetDirectoryName(Harness.StoreRoot)!, "queue.db")}";
        Queue = TaskQueues.Open(Address, new QueueOptions { Retry = new RetrySchedule { Steps = [TimeSpan.FromMilliseconds(100)] } });
    }

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Another one with other settings may take its place before anything uses it.</summary>
    internal ITaskQueue Queue { get; private protected set; }

    protected string Address { get; }

    /// <summary>Names of nodes that are another test's in no case.</summary>
    protected string OtherName => Harness.NodeName + "-other";

    public override async ValueTask DisposeAsync()
    {
        await Queue.DisposeAsync();
        Assert.Equal(0, await Engine.SweepAsync(new Dictionary<string, string> { ["sisyphus.node"] = OtherName }, CancellationToken.None));
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal RunningNode Start(Action<NodeOptions>? configure = null, string? name = null, IContainerEngine? engine = null, string? workDirectory = null, bool read = true)
    {
        var options = new NodeOptions
        {
            Tasks = new TaskRunnerOptions { WorkDirectory = workDirectory ?? Harness.WorkDirectory, NodeName = name ?? Harness.NodeName, StopGrace = TimeSpan.FromSeconds(1) },
            HeartbeatInterval = TimeSpan.FromSeconds(1),
        };
        configure?.Invoke(options);
        return new RunningNode(new Node(Queue, engine ?? Engine, Harness.OpenStores(), options), read);
    }

    /// <summary>A node of this test in a process of its own.</summary>
    internal NodeProcess StartProcess(string address, int leaseSeconds, string? name = null, int concurrency = 1) => new(
        address, $"file://{Harness.StoreRoot}", Harness.WorkDirectory, name ?? Harness.NodeName, $"{leaseSeconds}", $"{QueueOptions.DefaultMaxLosses}", $"{concurrency}");

    /// <param name="more">Further members, each with a comma before it.</param>
    protected string Json(string id, string script, string more = "") =>
        $$"""{"id": "{{id}}", "image": "{{Image}}", "network": "none", "command": ["sh", "-c", {{JsonSerializer.Serialize(script)}}]{{more}}}""";

    protected async Task SendAsync(params string[] documents)
    {
        var outcomes = await Queue.SendAsync([.. documents.SelectMany(TaskHarness.Read)], Token);
        Assert.All(outcomes, outcome => Assert.Equal(SendResult.Sent, outcome.Result));
    }

    internal async Task<TaskSummary> GetAsync(string id)
    {
        await foreach (var task in Queue.GetTasksAsync(new TaskQuery { Ids = [id] }, Token))
            return task;
        throw new InvalidOperationException($"The queue does not know {id}.");
    }

    /// <summary>Waits for an event of the task.</summary>
    internal Task<QueueEvent> UntilAsync(string id, Func<QueueEvent, bool> happened) => UntilAsync([id], happened);

    internal async Task<QueueEvent> UntilAsync(IReadOnlyList<string> ids, Func<QueueEvent, bool> happened)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Token);
        late.CancelAfter(s_limit);
        await foreach (var item in Queue.ReadEventsAsync(new EventQuery { TaskIds = ids, Follow = true }, late.Token))
        {
            if (happened(item))
                return item;
        }

        throw new InvalidOperationException("The events ended.");
    }

    internal Task<QueueEvent> UntilRunningAsync(string id) => UntilAsync(id, item => item.State == TaskState.Running);

    internal async Task<TaskSummary> UntilEndedAsync(string id)
    {
        await UntilAsync(id, item => item.Kind == QueueEventKind.TaskEnded);
        return await GetAsync(id);
    }

    internal async Task<List<QueueEvent>> EventsAsync(params string[] ids)
    {
        List<QueueEvent> events = [];
        await foreach (var item in Queue.ReadEventsAsync(new EventQuery { TaskIds = ids }, Token))
            events.Add(item);
        return events;
    }

    internal async Task<DeadLetter> DeadLetterAsync(string id)
    {
        await foreach (var letter in Queue.GetDeadLettersAsync([id], Token))
            return letter;
        throw new InvalidOperationException($"{id} is no dead letter.");
    }

    /// <summary>The output is the one that was decided on, and nothing is beside the decision.</summary>
    private protected void AssertPublishedWhole(string id)
    {
        using var decision = JsonDocument.Parse(Harness.Get("b", $".sisyphus/{id}/published.json"));
        Assert.True(decision.RootElement.GetProperty("done").GetBoolean());
        var sum = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Harness.PathOf("b", id))));
        Assert.Equal(sum, Assert.Single(decision.RootElement.GetProperty("outputs").EnumerateArray()).GetProperty("sha256").GetString());
        var left = Directory.EnumerateFiles(Harness.PathOf("b", $".sisyphus/{id}"), "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Harness.PathOf("b", $".sisyphus/{id}"), file)).Except(["published.json"]);
        Assert.True(!left.Any(), $"{string.Join(", ", left)} is left beside the decision for {decision.RootElement.GetProperty("attempt")} of node {decision.RootElement.GetProperty("record").GetProperty("node")}.");
    }
}
