using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    [Fact]
    public async Task Complete_Task_IsOverAndKeepsWhatWasSaidOfIt()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        Assert.True(await (await ClaimAsync(session)).CompleteAsync(Complete(), Token));
        await AssertNothingToClaimAsync(session);
        var task = await TaskAsync("a");
        Assert.Equal((TaskState.Complete, null, "n1", 1), (task.State, task.Reason, task.Node, task.Attempts));
        Assert.Equal((Moment, Moment.AddSeconds(3), 1000L, "results:.sisyphus/record.json"), (task.Started!.Value, task.Finished!.Value, task.PeakMemory!.Value, task.Record));
        Assert.Equal([0], task.ExitCodes);
        Assert.Empty(await DeadAsync());
    }

    [Fact]
    public async Task Settle_Twice_TheSecondIsFalseAndChangesNothing()
    {
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync());
        Assert.True(await delivery.CompleteAsync(Complete(), Token));
        Assert.False(await delivery.CompleteAsync(Complete(), Token));
        Assert.False(await delivery.RejectAsync(Failure(), Token));
        Assert.False(await delivery.RetryAsync(Failure(), Token));
        Assert.False(await delivery.ReleaseAsync("why", Token));
        Assert.Equal(LeaseState.Lost, await delivery.RenewAsync(Token));
        Assert.Equal(TaskState.Complete, (await TaskAsync("a")).State);
    }

    [Fact]
    public async Task Complete_EndInError_IsRefused()
    {
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => delivery.CompleteAsync(Failure(), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => delivery.RejectAsync(Complete(), Token));
        Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
    }

    [Fact]
    public async Task Retry_Failure_IsChargedAndComesBackAfterItsDelay()
    {
        Queue = await QueueAsync(Options(retrySeconds: 1));
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        var first = await ClaimAsync(session);
        var since = Stopwatch.GetTimestamp();
        Assert.True(await first.RetryAsync(Failure(FailureReason.TransferFailed), Token));
        var waiting = await TaskAsync("a");
        Assert.Equal((TaskState.Queued, FailureReason.TransferFailed, 1), (waiting.State, waiting.Reason, waiting.Attempts));
        Assert.NotNull(waiting.NotBefore);
        Assert.Equal(1, (await Queue.GetInfoAsync(Token)).Delayed);
        var second = await ClaimAsync(session);
        // A fifth more or less, and what a loaded machine adds.
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0.78, 4);
        Assert.Equal((1, 0), (second.FailedAttempts, second.Losses));
    }

    [Fact]
    public async Task Retry_Event_SaysWhyAndWhen()
    {
        await SendAsync(Doc("a"));
        await (await ClaimAsync(await JoinAsync("n1"))).RetryAsync(Failure(FailureReason.TransferFailed, "the line is dead"), Token);
        var retried = Assert.Single(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskRetried);
        Assert.Equal((FailureReason.TransferFailed, "the line is dead", 1, "n1"), (retried.Reason, retried.Message, retried.Attempt, retried.Node));
        Assert.InRange((retried.NotBefore!.Value - retried.Time).TotalSeconds, 0.3 * 0.79, 0.3 * 1.21);
    }

    [Fact]
    public async Task Retry_ServiceAskedToBeLeftAlone_WaitsForAStepThatIsLongEnough()
    {
        Queue = await QueueAsync(new QueueOptions { Retry = new RetrySchedule { Steps = [TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(100)] } });
        await SendAsync(Doc("a"));
        await (await ClaimAsync(await JoinAsync())).RetryAsync(Failure(FailureReason.TransferFailed) with { RetryAfter = TimeSpan.FromSeconds(50) }, Token);
        var retried = Assert.Single(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskRetried);
        Assert.InRange((retried.NotBefore!.Value - retried.Time).TotalSeconds, 79, 121);
    }

    [Fact]
    public async Task Retry_WallClockSetBack_DelaysNoLongerThanTheLongestStep()
    {
        var clock = new ShiftedClock { Shift = TimeSpan.FromHours(5) };
        Queue = await QueueAsync(Options(), clock);
        await SendAsync(Doc("a"));
        var session = await JoinAsync();
        await (await ClaimAsync(session)).RetryAsync(Failure(), Token);
        clock.Shift = TimeSpan.Zero;
        Assert.Equal(1, (await ClaimAsync(session)).FailedAttempts);
    }

    [Fact]
    public async Task Reject_Task_IsADeadLetterWithEveryAttempt()
    {
        await SendAsync(Doc("a", workflow: "flow"));
        var session = await JoinAsync("n1");
        await (await ClaimAsync(session)).RetryAsync(Failure(FailureReason.TransferFailed, "first"), Token);
        Assert.True(await (await ClaimAsync(session)).RejectAsync(Failure(FailureReason.ExecutorExit, "second"), Token));
        var letter = Assert.Single(await DeadAsync());
        Assert.Equal(("a", "name of a", "flow", TaskState.ExecutorError, FailureReason.ExecutorExit, "second", "the last lines"), (letter.Id, letter.Name, letter.Workflow, letter.State, letter.Reason, letter.Message, letter.LogTail));
        Assert.Equal([(1, "n1", FailureReason.TransferFailed, "first"), (2, "n1", FailureReason.ExecutorExit, "second")], letter.Attempts.Select(attempt => (attempt.Number, attempt.Node, attempt.Reason, attempt.Message)));
        Assert.Contains("tools:1", letter.Document, StringComparison.Ordinal);
        Assert.Equal(2, (await TaskAsync("a")).Attempts);
        await AssertNothingToClaimAsync(session);
    }

    [Fact]
    public async Task Reject_LongLogTail_KeepsItsEnd()
    {
        await SendAsync(Doc("a"));
        await (await ClaimAsync(await JoinAsync())).RejectAsync(Failure() with { LogTail = new string('x', 100_000) + "end" }, Token);
        var tail = Assert.Single(await DeadAsync()).LogTail;
        Assert.Equal(TaskEnd.MaxLogTail, tail.Length);
        Assert.EndsWith("xend", tail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_Task_IsBackInItsOldPlaceAtOnceAndNothingIsCharged()
    {
        await SendAsync(Doc("a"), Doc("b"));
        var session = await JoinAsync();
        Assert.True(await (await ClaimAsync(session)).ReleaseAsync("the disk is full", Token));
        var again = await ClaimAsync(session);
        Assert.Equal(("a", 0, 0), (again.Document.Id, again.FailedAttempts, again.Losses));
        Assert.Contains(await EventsAsync("a"), item => item is { Kind: QueueEventKind.TaskReleased, Message: "the disk is full" });
    }

    [Fact]
    public async Task Resume_DeadLetter_IsBackWithItsCountsFromZero()
    {
        await SendAsync(Doc("a"), Doc("b"));
        var session = await JoinAsync();
        await (await ClaimAsync(session)).RejectAsync(Failure(), Token);
        Assert.Equal([false, true, false], await Queue.ResumeAsync(["b", "a", "unknown"], Token));
        Assert.Empty(await DeadAsync());
        var delivery = await ClaimAsync(session);
        Assert.Equal(("a", 0, 0), (delivery.Document.Id, delivery.FailedAttempts, delivery.Losses));
        Assert.Contains(QueueEventKind.TaskResumed, (await EventsAsync("a")).Select(item => item.Kind));
    }

    [Fact]
    public async Task Resume_Twice_TheSecondIsFalse()
    {
        await SendAsync(Doc("a"));
        await (await ClaimAsync(await JoinAsync())).RejectAsync(Failure(), Token);
        Assert.Equal([true, false], await Queue.ResumeAsync(["a", "a"], Token));
    }

    [Fact]
    public async Task GetDeadLetters_Ids_GivesTheseOnly()
    {
        await SendAsync(Doc("a"), Doc("b"), Doc("c"));
        var session = await JoinAsync();
        for (var i = 0; i < 3; i++)
            await (await ClaimAsync(session)).RejectAsync(Failure(), Token);
        Assert.Equal(["a", "b", "c"], (await DeadAsync()).Select(letter => letter.Id));
        Assert.Equal(["a", "c"], (await DeadAsync("c", "unknown", "a")).Select(letter => letter.Id));
    }
}
