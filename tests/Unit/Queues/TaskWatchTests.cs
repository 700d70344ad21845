using Sisyphus.Engine.Queues;
using Sisyphus.Tests.Unit.Queues.Sqlite;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public sealed class TaskWatchTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TornQueue _queue;

    public TaskWatchTests() => _queue = new TornQueue(TaskQueues.Open("sqlite:" + _folder["queue.db"]));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Events_TasksEndOneAfterTheOther_EndWithTheLast()
    {
        await SendAsync("a", "b", "c");
        await _queue.CancelAsync(["a"], Token);
        List<string> seen = [];
        await foreach (var happened in await WatchAsync("a", "b", "c"))
        {
            seen.Add($"{happened.TaskId} {happened.Kind}");
            if (seen[^1] is "a TaskEnded")
                await _queue.CancelAsync(["b"], Token);
            if (seen[^1] is "b TaskEnded")
                await _queue.CancelAsync(["c"], Token);
        }
        Assert.Equal(["a TaskSent", "b TaskSent", "c TaskSent", "a TaskEnded", "b TaskEnded", "c TaskEnded"], seen);
    }

    [Fact]
    public async Task Events_OutageWhenATaskHasEnded_GoOn()
    {
        await SendAsync("a", "b");
        List<string> ended = [];
        await foreach (var happened in await WatchAsync("a", "b"))
        {
            if (happened is { Kind: QueueEventKind.TaskSent, TaskId: "b" })
                await _queue.CancelAsync(["a"], Token);
            if (happened.Kind != QueueEventKind.TaskEnded)
                continue;
            ended.Add(happened.TaskId!);
            if (ended.Count > 1)
                continue;
            // Of the look at its state, and of the reading that goes on.
            _queue.Tear(2);
            await _queue.CancelAsync(["b"], Token);
        }
        Assert.Equal(0, _queue.Failing);
        Assert.Equal(["a", "b"], ended);
    }

    [Fact]
    public async Task Events_OutageBetweenEvents_NoneIsMissedOrTwice()
    {
        await SendAsync("a");
        List<QueueEventKind> seen = [];
        await foreach (var happened in await WatchAsync("a"))
        {
            seen.Add(happened.Kind);
            if (happened.Kind != QueueEventKind.TaskSent)
                continue;
            await _queue.CancelAsync(["a"], Token);
            _queue.Tear(1);
        }
        Assert.Equal([QueueEventKind.TaskSent, QueueEventKind.TaskEnded], seen);
    }

    [Fact]
    public async Task Events_AllHaveEnded_ShowWhatIsKnownAndEnd()
    {
        await SendAsync("a");
        await _queue.CancelAsync(["a"], Token);
        var events = await (await WatchAsync("a")).ToListAsync(Token);
        Assert.Equal([QueueEventKind.TaskSent, QueueEventKind.TaskEnded], events.Select(happened => happened.Kind));
    }

    [Fact]
    public async Task Look_OutageAtTheStart_IsToldAtOnce()
    {
        _queue.Tear(1);
        Assert.Equal(QueueFailure.Unavailable, (await Assert.ThrowsAsync<QueueException>(() => new TaskWatch(_queue, ["a"]).LookAsync(Token))).Failure);
    }

    [Fact]
    public async Task Look_UnknownIds_AreToldOnce()
    {
        await SendAsync("a");
        var watch = new TaskWatch(_queue, ["nobody", "a", "nobody"]);
        Assert.Equal(["nobody"], await watch.LookAsync(Token));
        await _queue.CancelAsync(["a"], Token);
        Assert.Equal(QueueEventKind.TaskEnded, (await watch.EventsAsync(Token).LastAsync(Token)).Kind);
    }

    private async Task SendAsync(params string[] ids) => await _queue.SendAsync([.. ids.Select(SqliteDocuments.Make)], Token);

    private async Task<IAsyncEnumerable<QueueEvent>> WatchAsync(params string[] ids)
    {
        var watch = new TaskWatch(_queue, ids);
        Assert.Empty(await watch.LookAsync(Token));
        return watch.EventsAsync(Token);
    }
}
