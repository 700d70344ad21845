using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

public sealed class RetentionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Retention_EndedTasksAndEventsThatAreOld_Go()
    {
        var clock = new ShiftedClock { Shift = TimeSpan.FromDays(-8) };
        await using (var past = TaskQueues.Open("sqlite:" + _folder["queue.db"], null, clock))
        {
            await past.SendAsync([SqliteDocuments.Make("done"), SqliteDocuments.Make("dead"), SqliteDocuments.Make("waits")], Token);
            await using var session = await past.JoinAsync(new NodeRegistration("n", 1, 1, 1, "Tests 1", TimeSpan.FromSeconds(5)), Token);
            var end = new TaskEnd { State = TaskState.Complete, Started = clock.GetUtcNow(), Finished = clock.GetUtcNow() };
            await (await session.ClaimAsync(ClaimRequest.Anything, Token)).CompleteAsync(end, Token);
            await (await session.ClaimAsync(ClaimRequest.Anything, Token)).RejectAsync(end with { State = TaskState.SystemError, Reason = FailureReason.Internal }, Token);
        }
        await using var queue = TaskQueues.Open("sqlite:" + _folder["queue.db"]);
        await using var caretaker = await queue.JoinAsync(new NodeRegistration("caretaker", 1, 1, 1, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        await caretaker.HeartbeatAsync(new NodeStatus(NodeState.Idle, [], 0, 0, null, 0, ""), Token);
        var left = await queue.GetTasksAsync(new TaskQuery(), Token).Select(task => task.Id).ToListAsync(Token);
        Assert.Equal(["dead", "waits"], left);
        Assert.Equal("caretaker", Assert.Single(await queue.ReadEventsAsync(new EventQuery(), Token).ToListAsync(Token)).Node);
        Assert.Equal("caretaker", Assert.Single(await queue.GetNodesAsync(Token)).Name);
    }
}
