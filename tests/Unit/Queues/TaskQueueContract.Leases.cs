using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    private const double ShortLease = 1;

    [Fact]
    public async Task Renew_InTime_KeepsTheTaskForLongerThanTheLease()
    {
        Queue = await QueueAsync(Options(ShortLease));
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync("n1"));
        var thief = await JoinAsync("n2");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var stealing = thief.ClaimAsync(ClaimRequest.Anything, stop.Token);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
            await Task.Delay(250, Token);
        }
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stealing);
        Assert.True(await delivery.CompleteAsync(Complete(), Token));
    }

    [Fact]
    public async Task Lease_NotRenewed_IsGivenToAnotherAndTheFirstHasLostIt()
    {
        Queue = await QueueAsync(Options(ShortLease));
        await SendAsync(Doc("a"));
        var first = await ClaimAsync(await JoinAsync("n1"));
        var since = Stopwatch.GetTimestamp();
        var second = await ClaimAsync(await JoinAsync("n2"));
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0.5, 10);
        Assert.Equal(1, second.Losses);
        Assert.Equal(LeaseState.Lost, await first.RenewAsync(Token));
        Assert.False(await first.CompleteAsync(Complete(), Token));
        Assert.False(await first.RetryAsync(Failure(), Token));
        Assert.False(await first.RejectAsync(Failure(), Token));
        Assert.False(await first.ReleaseAsync("why", Token));
        Assert.Equal(LeaseState.Held, await second.RenewAsync(Token));
        Assert.True(await second.CompleteAsync(Complete(), Token));
    }

    [Fact]
    public async Task Lease_LapsedAndClaimedByNobody_CanBeRenewed()
    {
        Queue = await QueueAsync(Options(ShortLease));
        await SendAsync(Doc("a", cpus: 4));
        var delivery = await ClaimAsync(await JoinAsync("n1"));
        var other = await JoinAsync("n2");
        await Task.Delay(TimeSpan.FromSeconds(ShortLease + 0.3), Token);
        // Somebody looks who has no room for it.
        await AssertNothingToClaimAsync(other, new ClaimRequest(1, 0, []));
        Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
        await AssertNothingToClaimAsync(other);
        Assert.True(await delivery.CompleteAsync(Complete(), Token));
    }

    [Fact]
    public async Task Lease_LapsedAndClaimedByNobody_CanBeSettled()
    {
        Queue = await QueueAsync(Options(ShortLease));
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync("n1"));
        await Task.Delay(TimeSpan.FromSeconds(ShortLease + 0.3), Token);
        Assert.True(await delivery.CompleteAsync(Complete(), Token));
        await AssertNothingToClaimAsync(await JoinAsync("n2"));
    }

    [Theory, InlineData(1), InlineData(-1)]
    public async Task Lease_NodeWhoseWallClockIsWrongByAnHour_IsKept(int sign)
    {
        var clock = new ShiftedClock();
        await SendAsync(Doc("a"));
        var delivery = await ClaimAsync(await JoinAsync("n1", await QueueAsync(Options(), clock)));
        clock.Shift = TimeSpan.FromHours(sign);
        Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
        await AssertNothingToClaimAsync(await JoinAsync("n2"));
        await AssertNothingToClaimAsync(await JoinAsync("n3", await QueueAsync(Options(), clock)));
    }

    [Fact]
    public async Task Node_Killed_ItsTasksComeBackCountedAsLost()
    {
        Queue = await QueueAsync(Options(2));
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        var first = await ClaimAsync(session);
        await KillAsync(session);
        var second = await ClaimAsync(await JoinAsync("n2"));
        Assert.Equal(("a", 1, 0), (second.Document.Id, second.Losses, second.FailedAttempts));
        Assert.Equal(LeaseState.Lost, await first.RenewAsync(Token));
        Assert.Contains(QueueEventKind.TaskLost, (await EventsAsync("a")).Select(item => item.Kind));
    }

    [Fact]
    public async Task Node_JoinsAgainAfterItWasKilled_FindsItsTasksOnTheQueueAtOnce()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        await ClaimAsync(session);
        await KillAsync(session);
        var again = await JoinAsync("n1", await QueueAsync());
        Assert.Equal(1, (await ClaimAsync(again)).Losses);
    }

    [Fact]
    public async Task Task_WhoseNodesAreLostTooOften_BecomesADeadLetter()
    {
        Queue = await QueueAsync(Options(2, maxLosses: 2));
        await SendAsync(Doc("a"));
        for (var i = 0; i < 2; i++)
        {
            var session = await JoinAsync($"n{i}");
            await ClaimAsync(session);
            await KillAsync(session);
        }
        await AssertNothingToClaimAsync(await JoinAsync("last"));
        var letter = Assert.Single(await EventuallyAsync(() => DeadAsync(), letters => letters.Count > 0));
        Assert.Equal((FailureReason.NodeLost, TaskState.SystemError), (letter.Reason, letter.State));
        Assert.Equal(["n0", "n1"], letter.Attempts.Select(attempt => attempt.Node));
        Assert.All(letter.Attempts, attempt => Assert.Equal((0, FailureReason.NodeLost), (attempt.Number, attempt.Reason)));
    }

    [Fact]
    public async Task Session_DisposedInOrder_PutsItsTasksBackUncounted()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync("n1");
        await ClaimAsync(session);
        await session.DisposeAsync();
        var delivery = await ClaimAsync(await JoinAsync("n2"));
        Assert.Equal((0, 0), (delivery.Losses, delivery.FailedAttempts));
        Assert.Contains(QueueEventKind.TaskReleased, (await EventsAsync("a")).Select(item => item.Kind));
    }
}
