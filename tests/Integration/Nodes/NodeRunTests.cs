using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

public sealed class NodeRunTests(EngineFixture engine, ShellImageFixture shell) : NodeTest(engine, shell)
{
    [Fact]
    public async Task RunAsync_TaskWithOutput_IsPublishedTaskCompleteAndAllTold()
    {
        await SendAsync(Json("a", "echo hello > /out/x", """, "name": "first", "outputs": {"b:x": "/out/x"}"""));
        await using var node = Start(options => options.MaxTasks = 1);
        await node.EndAsync();

        Assert.Equal("hello\n", Harness.Get("b", "x"));
        var task = await GetAsync("a");
        Assert.Equal((TaskState.Complete, null, 1, Harness.NodeName), (task.State, task.Reason, node.Results.Single().Attempts, task.Node));
        Assert.Equal([0], task.ExitCodes);
        Assert.Equal("b:.sisyphus/a/published.json", task.Record);
        Assert.Equal(
            [QueueEventKind.TaskSent, QueueEventKind.TaskClaimed, QueueEventKind.TaskProgressed, QueueEventKind.TaskProgressed, QueueEventKind.TaskEnded],
            (await EventsAsync("a")).Select(item => item.Kind));
        Assert.Equal([NodeState.Busy, NodeState.Idle, NodeState.Draining, NodeState.Left], node.States.Select(state => state.State));
        Assert.All(node.Events.OfType<NodeTaskEvent>(), happened => Assert.Equal("first", happened.Title));
        Assert.Equal(NodeState.Left, (await Queue.GetNodesAsync(Token)).Single().State);
    }

    [Fact]
    public async Task RunAsync_RetryableFailure_IsTriedAgainAndDeadLetterTellsEveryAttempt()
    {
        await SendAsync(Json("a", "echo said; echo last words >&2; exit 7", """, "retries": 2, "retryExitCodes": [7]"""));
        await using var node = Start();
        var task = await UntilEndedAsync("a");
        node.Node.Drain();
        await node.EndAsync();

        Assert.Equal((TaskState.ExecutorError, FailureReason.ExecutorExit, 3), (task.State, task.Reason, task.Attempts));
        var letter = await DeadLetterAsync("a");
        Assert.Equal([1, 2, 3], letter.Attempts.Select(attempt => attempt.Number));
        Assert.Contains("said", letter.LogTail, StringComparison.Ordinal);
        Assert.Contains("last words", letter.LogTail, StringComparison.Ordinal);
        Assert.Equal([false, false, true], node.TaskEvents.OfType<AttemptFailed>().Select(failed => failed.RetryAfter is null));
        Assert.Equal(3, Assert.Single(node.Results).Attempts);
    }

    [Fact]
    public async Task RunAsync_FailureThatRetryingDoesNotHelp_IsRejectedAfterOneAttempt()
    {
        await SendAsync(Json("a", "exit 3"));
        await using var node = Start(options => options.MaxTasks = 1);
        await node.EndAsync();
        Assert.Equal(FailureReason.ExecutorExit, Assert.Single((await DeadLetterAsync("a")).Attempts).Reason);
    }

    [Fact]
    public async Task RunAsync_PublishedBefore_IsAcknowledgedAndNothingRuns()
    {
        var document = Json("a", "echo $$ > /out/x; date >> /out/x", """, "outputs": {"b:x": "/out/x"}""");
        AssertComplete(await Harness.RunAsync(document));
        var before = Harness.Get("b", "x");
        await SendAsync(document);
        await using var node = Start(options => options.MaxTasks = 1);
        await node.EndAsync();

        Assert.Equal(TaskState.Complete, (await GetAsync("a")).State);
        Assert.Equal(before, Harness.Get("b", "x"));
        Assert.Empty(node.TaskEvents.OfType<TaskStateChanged>());
        Assert.Equal(0, Assert.Single(node.Results).Attempts);
    }

    [Fact]
    public async Task RunAsync_PolicyDeniesTask_IsDeadLetterWithTheReason()
    {
        await SendAsync(Json("a", "true"));
        await using var node = Start(options => options.Tasks.Policy.Images.Add("nothing/*"));
        var task = await UntilEndedAsync("a");
        node.Node.Drain();
        await node.EndAsync();
        Assert.Equal((TaskState.SystemError, FailureReason.PolicyDenied), (task.State, task.Reason));
        Assert.Contains("nothing/*", (await DeadLetterAsync("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_MaxTasks_TakesNoMore()
    {
        await SendAsync([.. Enumerable.Range(0, 3).Select(index => Json($"t{index}", "true"))]);
        await using var node = Start(options => (options.MaxTasks, options.Tasks.Concurrency) = (2, 3));
        await node.EndAsync();
        Assert.Equal(2, node.Results.Count);
        var info = await Queue.GetInfoAsync(Token);
        Assert.Equal((1, 0, 2), (info.Ready, info.Leased, info.Ended));
    }

    [Fact]
    public async Task RunAsync_IdleTimeoutOfZero_RunsWhatThereIsAndEnds()
    {
        await SendAsync([.. Enumerable.Range(0, 3).Select(index => Json($"t{index}", "true"))]);
        await using var node = Start(options => options.IdleTimeout = TimeSpan.Zero);
        await node.EndAsync();
        Assert.Equal(3, node.Results.Count(result => result.State == TaskState.Complete));
    }

    [Theory]
    [InlineData(""", "resources": {"memory": "100MiB"}""")]
    [InlineData(""", "resources": {"cpus": 0.1}""")]
    public async Task RunAsync_TasksWithLimits_TakesOnlyWhatFitsAndAllOfThat(string limit)
    {
        // Room for two: 200 of 299 MiB, or two tenths of 0.2 processors.
        string[] ids = ["t0", "t1", "t2", "t3"];
        await SendAsync([.. ids.Select(id => Json(id, "sleep 1", limit))]);
        await using var node = Start(options =>
        {
            (options.Tasks.Concurrency, options.IdleTimeout) = (4, TimeSpan.Zero);
            (options.Memory, options.Cpus) = (299L * 1024 * 1024, 0.2);
        });
        await node.EndAsync();

        Assert.Equal(4, node.Results.Count(result => result.State == TaskState.Complete));
        var (now, most) = (0, 0);
        foreach (var item in await EventsAsync(ids))
        {
            now += item.Kind switch { QueueEventKind.TaskClaimed => 1, QueueEventKind.TaskEnded => -1, _ => 0 };
            most = Math.Max(most, now);
        }

        Assert.Equal(2, most);
    }

    [Fact]
    public async Task RunAsync_NobodyReadsEvents_TasksCompleteAndEndsAreKept()
    {
        string[] ids = ["t0", "t1", "t2"];
        await SendAsync([.. ids.Select(id => Json(id, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"))]);
        await using var node = Start(options => options.IdleTimeout = TimeSpan.Zero, read: false);
        await node.EndAsync();

        List<NodeEvent> events = [];
        while (node.Node.Events.TryRead(out var happened))
            events.Add(happened);
        Assert.Equal(ids, events.OfType<NodeTaskEvent>().Select(item => item.Event).OfType<TaskFinished>().Select(finished => finished.TaskId));
        Assert.Equal(NodeState.Left, events.OfType<NodeStateChanged>().Last().State);
    }

    [Fact]
    public async Task RunAsync_TwoNodesOnOneWorkDirectory_ShareTheTasks()
    {
        string[] ids = [.. Enumerable.Range(0, 6).Select(index => $"t{index}")];
        await SendAsync([.. ids.Select(id => Json(id, $"sleep 0.5; echo {id} > /out/x", $$""", "outputs": {"b:{{id}}": "/out/x"}"""))]);
        await using var first = Start(options => options.IdleTimeout = TimeSpan.Zero);
        await using var second = Start(options => options.IdleTimeout = TimeSpan.Zero, OtherName);
        await first.EndAsync();
        await second.EndAsync();

        Assert.Equal(ids, Harness.Keys("b"));
        Assert.Equal(ids, first.Results.Concat(second.Results).Select(result => result.Id).Order());
        Assert.NotEmpty(first.Results);
        Assert.NotEmpty(second.Results);
    }
}
