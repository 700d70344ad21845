using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.Sqlite;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>A queue that fails or forgets while tasks run.</summary>
public sealed class NodeQueueTroubleTests(EngineFixture engine, ShellImageFixture shell) : NodeTest(engine, shell)
{
    [Fact]
    public async Task RunAsync_QueueLockedUntilTaskHasPublished_SaysPausedAndSettlesOnceItAnswers()
    {
        Queue = new SqliteTaskQueue(Address["sqlite:".Length..], new QueueOptions(), TimeProvider.System, new SqliteSettings { LockLimit = TimeSpan.FromSeconds(1) });
        await SendAsync(Json("a", "sleep 1; echo done > /out/x", """, "outputs": {"b:x": "/out/x"}"""));
        await using var node = Start(options => options.MaxTasks = 1);
        await UntilRunningAsync("a");
        using (var file = new QueueFileConnection(Address))
        {
            file.Execute("BEGIN IMMEDIATE");
            await node.UntilAsync(running => Harness.Exists("b", "x") && running.States.Any(state => state.State == NodeState.Paused));
            Assert.Contains("queue.db", node.States.First(state => state.State == NodeState.Paused).Message, StringComparison.Ordinal);
            Assert.Empty(node.Results);
            file.Execute("COMMIT");
        }

        await node.EndAsync();
        AssertComplete(Assert.Single(node.Results));
        Assert.Equal((TaskState.Complete, 0), ((await GetAsync("a")).State, (await GetAsync("a")).Losses));
        Assert.Single(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskClaimed);
    }

    [Fact]
    public async Task RunAsync_LeaseIsAnothersAtRenewal_AttemptIsStoppedAndNothingSettled()
    {
        Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(3) });
        await SendAsync(Json("a", "sleep 600", """, "outputs": {"b:x": "/out/x"}"""));
        await using var node = Start();
        await UntilRunningAsync("a");
        using (var file = new QueueFileConnection(Address))
            file.Execute("UPDATE tasks SET lease = 1");
        await node.UntilAsync(running => running.TaskEvents.OfType<TaskWarned>().Any(warned => warned.Message.Contains("lease was lost", StringComparison.Ordinal)));
        node.Node.Drain();
        await node.EndAsync();

        Assert.Empty(node.Results);
        Assert.Empty(Harness.Keys("b"));
        Assert.DoesNotContain(await EventsAsync("a"), item => item.Kind is QueueEventKind.TaskEnded or QueueEventKind.TaskRetried);
    }

    [Fact]
    public async Task RunAsync_SessionTakenOffTheRegistry_JoinsAgainAndWorksOn()
    {
        await using var node = Start();
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Count == 1, TimeSpan.FromSeconds(30));
        using (var file = new QueueFileConnection(Address))
            file.Execute("DELETE FROM nodes");
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Count == 1, TimeSpan.FromSeconds(30));
        await SendAsync(Json("a", "true"));
        Assert.Equal(TaskState.Complete, (await UntilEndedAsync("a")).State);

        // It also hears again what it is told.
        Assert.True(await Queue.StopNodeAsync(Harness.NodeName, NodeStop.Drain, Token));
        await node.EndAsync();
    }
}
