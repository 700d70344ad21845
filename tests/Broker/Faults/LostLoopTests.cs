using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>A session of which a part has ended does not go on without it.</summary>
public sealed class LostLoopTests(BrokerFixture fixture)
{
    private static readonly TimeSpan s_leaseTime = TimeSpan.FromSeconds(6);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_LoopEndsOverADefect_IsLostForWhoClaims()
    {
        var address = await fixture.NewVirtualHostAsync();
        var clock = new FaultyClock();
        await using var queue = TaskQueues.Open(address.ToString(), new QueueOptions { LeaseTime = s_leaseTime }, clock);
        await using var session = await queue.JoinAsync(new NodeRegistration("node-1", 1, 1, 1, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        var claiming = session.ClaimAsync(ClaimRequest.Anything, Token);
        await Task.Delay(TimeSpan.FromSeconds(1), Token);
        clock.FailsNext = true;
        var lost = await Assert.ThrowsAsync<QueueException>(() => claiming.WaitAsync(TimeSpan.FromSeconds(20), Token));
        Assert.True(lost.Failure == QueueFailure.SessionLost, lost.Message);
        Assert.Contains("clock", lost.Message, StringComparison.Ordinal);
    }

    /// <summary>Stands for what nobody foresaw: fails whoever waits for the time between two looks after the leases, once.</summary>
    private sealed class FaultyClock : TimeProvider
    {
        public bool FailsNext { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (!FailsNext || dueTime != s_leaseTime / 10)
                return base.CreateTimer(callback, state, dueTime, period);
            FailsNext = false;
            throw new InvalidOperationException("The clock is broken.");
        }
    }
}
