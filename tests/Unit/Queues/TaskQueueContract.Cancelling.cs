using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    private async Task<CancelOutcome> CancelAsync(string id) => Assert.Single(await Queue.CancelAsync([id], Token));

    [Fact]
    public async Task Cancel_WaitingTask_NeverStarts()
    {
        await SendAsync(Doc("a"));
        Assert.Equal(new CancelOutcome("a", CancelResult.Canceled, TaskState.Canceled), await CancelAsync("a"));
        await AssertNothingToClaimAsync(await JoinAsync());
        var task = await TaskAsync("a");
        Assert.Equal((TaskState.Canceled, FailureReason.Canceled, 0), (task.State, task.Reason, task.Attempts));
        Assert.Empty(await DeadAsync());
    }

    [Fact]
    public async Task Cancel_TaskThatWaitsForItsNextAttempt_NeverStartsAgain()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync();
        await (await ClaimAsync(session)).RetryAsync(Failure(), Token);
        Assert.Equal(CancelResult.Canceled, (await CancelAsync("a")).Result);
        await AssertNothingToClaimAsync(session);
        Assert.Equal(TaskState.Canceled, (await TaskAsync("a")).State);
    }

    [Fact]
    public async Task Cancel_RunningTask_TellsItsNodeAndItsLease()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync();
        var delivery = await ClaimAsync(session);
        var telling = FirstAsync(session.ReadSignalsAsync(Token), _ => true);
        Assert.Equal(new CancelOutcome("a", CancelResult.Requested, TaskState.Initializing), await CancelAsync("a"));
        Assert.Equal(new CancelSignal("a"), await telling);
        Assert.Equal(LeaseState.CancelRequested, await delivery.RenewAsync(Token));
        Assert.True((await TaskAsync("a")).CancelRequested);
        Assert.True(await delivery.CompleteAsync(Canceled(), Token));
        Assert.Equal((TaskState.Canceled, false), ((await TaskAsync("a")).State, (await TaskAsync("a")).CancelRequested));
    }

    [Fact]
    public async Task Cancel_RunningTaskThatIsPublishedByThen_StaysComplete()
    {
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync());
        await CancelAsync("a");
        Assert.True(await delivery.CompleteAsync(Complete(), Token));
        Assert.Equal(TaskState.Complete, (await TaskAsync("a")).State);
    }

    [Theory, InlineData("retry"), InlineData("release"), InlineData("dispose"), InlineData("kill")]
    public async Task Cancel_RunningTaskThatWouldComeBack_EndsItInstead(string how)
    {
        Queue = await QueueAsync(Options(2));
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        var delivery = await ClaimAsync(session);
        await CancelAsync("a");
        await (how switch
        {
            "retry" => delivery.RetryAsync(Failure(), Token),
            "release" => delivery.ReleaseAsync("why", Token),
            "dispose" => session.DisposeAsync().AsTask(),
            _ => KillAsync(session),
        });
        var other = await JoinAsync("n2");
        await AssertNothingToClaimAsync(other);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var claiming = other.ClaimAsync(ClaimRequest.Anything, stop.Token);
        await EventuallyAsync(() => TaskAsync("a"), task => task.State == TaskState.Canceled);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => claiming);
    }

    [Fact]
    public async Task Cancel_EndedOrUnknownTask_SaysSoAndChangesNothing()
    {
        await SendAsync(Doc("done"), Doc("dead"));
        var session = await JoinAsync();
        await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
        await (await ClaimAsync(session)).RejectAsync(Failure(), Token);
        Assert.Equal(
            [new("dead", CancelResult.AlreadyEnded, TaskState.ExecutorError), new("unknown", CancelResult.Unknown, null), new("done", CancelResult.AlreadyEnded, TaskState.Complete)],
            await Queue.CancelAsync(["dead", "unknown", "done"], Token));
    }

    [Fact]
    public async Task Cancel_Twice_IsRequestedTwiceAndToldOnce()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync();
        await ClaimAsync(session);
        Assert.Equal(CancelResult.Requested, (await CancelAsync("a")).Result);
        Assert.Equal(CancelResult.Requested, (await CancelAsync("a")).Result);
        await Queue.StopNodeAsync(session.Name, NodeStop.Drain, Token);
        var signals = new List<NodeSignal>();
        await FirstAsync(session.ReadSignalsAsync(Token), signal =>
        {
            signals.Add(signal);
            return signal is StopSignal;
        });
        Assert.Equal([new CancelSignal("a"), new StopSignal(NodeStop.Drain)], signals);
    }
}
