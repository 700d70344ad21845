using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    [Fact]
    public async Task ReadEvents_LifeOfATask_IsToldInOrder()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        var first = await ClaimAsync(session);
        await first.ReportAsync(TaskState.Running, Token);
        await first.WarnAsync("careful", Token);
        await first.RetryAsync(Failure(FailureReason.TransferFailed), Token);
        await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
        var events = await EventsAsync("a");
        Assert.Equal(
            [
                (QueueEventKind.TaskSent, TaskState.Queued, null, null), (QueueEventKind.TaskClaimed, TaskState.Initializing, 1, "n1"), (QueueEventKind.TaskProgressed, TaskState.Running, 1, "n1"),
                (QueueEventKind.TaskWarned, TaskState.Running, 1, "n1"), (QueueEventKind.TaskRetried, TaskState.Queued, 1, "n1"), (QueueEventKind.TaskClaimed, TaskState.Initializing, 2, "n1"),
                (QueueEventKind.TaskEnded, TaskState.Complete, (int?)2, (string?)"n1"),
            ],
            events.Select(item => (item.Kind, item.State!.Value, item.Attempt, item.Node)));
        Assert.All(events, item => Assert.Equal(("a", "name of a"), (item.TaskId, item.TaskName)));
        Assert.Equal(events.Select(item => item.Sequence).Order().Distinct(), events.Select(item => item.Sequence));
    }

    [Fact]
    public async Task ReadEvents_After_GivesWhatCameLater()
    {
        await SendAsync(Doc("a"), Doc("b"), Doc("c"));
        var all = await EventsAsync();
        var later = await ListAsync(Queue.ReadEventsAsync(new EventQuery { After = all[0].Sequence }, Token));
        Assert.Equal(["b", "c"], later.Select(item => item.TaskId));
        Assert.Empty(await ListAsync(Queue.ReadEventsAsync(new EventQuery { After = null }, Token)));
    }

    [Fact]
    public async Task GetLastEvent_NothingYetAndLater_IsWhereReadingGoesOn()
    {
        Assert.Equal(0, await Queue.GetLastEventAsync(Token));
        await SendAsync(Doc("a"));
        await using (var session = await JoinAsync("n1"))
            await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
        var last = await Queue.GetLastEventAsync(Token);
        Assert.Equal((await EventsAsync())[^1].Sequence, last);
        await SendAsync(Doc("b"), Doc("c"));
        var later = await ListAsync(Queue.ReadEventsAsync(new EventQuery { After = last }, Token));
        Assert.Equal(["b", "c"], later.Select(item => item.TaskId));
    }

    [Fact]
    public async Task ReadEvents_TaskIds_GivesOnlyTheirs()
    {
        await SendAsync([.. Enumerable.Range(0, 200).Select(i => Doc($"t{i}"))]);
        Assert.Equal(["t3", "t150"], (await EventsAsync("t150", "t3")).Select(item => item.TaskId));
        Assert.Equal(Enumerable.Range(50, 100).Select(i => $"t{i}"), (await EventsAsync([.. Enumerable.Range(50, 100).Select(i => $"t{i}")])).Select(item => item.TaskId));
    }

    [Fact]
    public async Task ReadEvents_MoreThanAPage_GivesEachOnce()
    {
        await Queue.SendAsync([.. Enumerable.Range(0, 2345).Select(i => Doc($"t{i}"))], Token);
        Assert.Equal(Enumerable.Range(0, 2345).Select(i => $"t{i}"), (await EventsAsync()).Select(item => item.TaskId));
    }

    [Fact]
    public async Task ReadEvents_Follow_TellsWithin100MillisecondsWhatAnotherConnectionDid()
    {
        var other = await QueueAsync();
        await using var events = Queue.ReadEventsAsync(new EventQuery { After = null, Follow = true, TaskIds = [.. Enumerable.Range(0, 9).Select(i => $"t{i}")] }, Token).GetAsyncEnumerator(Token);
        var delays = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var next = events.MoveNextAsync().AsTask();
            await Task.Delay(150, Token);
            await other.SendAsync([Doc($"other{i}"), Doc($"t{i}")], Token);
            var since = Stopwatch.GetTimestamp();
            Assert.True(await next.WaitAsync(Patience, Token));
            delays.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
            Assert.Equal($"t{i}", events.Current.TaskId);
        }
        Assert.True(delays.Order().ElementAt(4) < 100, string.Join(", ", delays));
    }

    [Fact]
    public async Task ReadEvents_FollowFromTheStart_SeesWhatALateWatcherSees()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var live = new List<long>();
        var watching = Task.Run(async () =>
        {
            await foreach (var item in Queue.ReadEventsAsync(new EventQuery { Follow = true }, stop.Token))
            {
                live.Add(item.Sequence);
                if (item is { Kind: QueueEventKind.TaskEnded, TaskId: "t19" })
                    break;
            }
        }, Token);
        var session = await JoinAsync("n1", await QueueAsync());
        for (var i = 0; i < 20; i++)
        {
            await SendAsync(Doc($"t{i}"));
            await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
        }
        await watching.WaitAsync(Patience, Token);
        Assert.Equal((await EventsAsync()).Select(item => item.Sequence), live);
    }

    [Fact]
    public async Task Report_LeaseIsLost_DoesNothing()
    {
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync());
        await delivery.ReleaseAsync("why", Token);
        var before = await EventsAsync("a");
        await delivery.ReportAsync(TaskState.Running, Token);
        await delivery.WarnAsync("careful", Token);
        Assert.Equal(before, await EventsAsync("a"));
        Assert.Equal(TaskState.Queued, (await TaskAsync("a")).State);
    }
}
