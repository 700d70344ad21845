using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Unit.Nodes;

public sealed class QueueLineTests
{
    private readonly HurriedClock _clock = new();
    private readonly NodeEvents _events = new();
    private readonly Standing _standing;
    private readonly QueueLine _line;
    private int _calls;

    public QueueLineTests()
    {
        _standing = new Standing(_events, _clock);
        _line = new QueueLine(_standing, _clock);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(QueueFailure.Unavailable)]
    [InlineData(QueueFailure.Full)]
    public async Task CallAsync_QueueDoesNotAnswerForAnHour_FindsItSoonAfterwards(QueueFailure failure)
    {
        var since = _clock.GetTimestamp();
        Assert.Equal("answer", await _line.CallAsync(FailsFor(failure, TimeSpan.FromHours(1)), Token));
        Assert.InRange(_clock.GetElapsedTime(since), TimeSpan.FromHours(1), TimeSpan.FromHours(1) + TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData(QueueFailure.Denied)]
    [InlineData(QueueFailure.NotAQueue)]
    public async Task CallAsync_RefusedForLessThanTheLimit_SaysWhatToDoAndGoesOn(QueueFailure failure)
    {
        Assert.Equal("answer", await _line.CallAsync(FailsFor(failure, QueueLine.RefusalLimit / 2), Token));
        Assert.True(_events.Reader.TryRead(out var first));
        var paused = Assert.IsType<NodeStateChanged>(first);
        Assert.Equal(NodeState.Paused, paused.State);
        Assert.StartsWith("Ask for it. What runs goes on,", paused.Message, StringComparison.Ordinal);
        Assert.Equal((NodeState.Idle, ""), _standing.Now);
    }

    [Fact]
    public async Task CallAsync_RefusedForLongerAndNothingRuns_EndsWithTheError()
    {
        var since = _clock.GetTimestamp();
        var failure = await Assert.ThrowsAsync<QueueException>(() => _line.CallAsync(FailsFor(QueueFailure.Denied, TimeSpan.FromHours(1)), Token));
        Assert.Equal("Ask for it.", failure.Message);
        Assert.InRange(_clock.GetElapsedTime(since), QueueLine.RefusalLimit, QueueLine.RefusalLimit + TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task CallAsync_RefusedForHoursWhileATaskRuns_WaitsForAsLongAsItTakes()
    {
        _standing.SetRunning(1);
        Assert.Equal("answer", await _line.CallAsync(FailsFor(QueueFailure.Denied, TimeSpan.FromHours(5)), Token));
    }

    [Fact]
    public async Task SettleAsync_RefusedForLongerAndNothingElseRuns_EndsWithTheError()
    {
        _standing.SetRunning(1);
        await Assert.ThrowsAsync<QueueException>(() => _line.SettleAsync(FailsFor(QueueFailure.Denied, TimeSpan.FromHours(1)), Token));
    }

    [Theory]
    [InlineData(QueueFailure.NewerVersion)]
    [InlineData(QueueFailure.Corrupt)]
    [InlineData(QueueFailure.NodeNameTaken)]
    [InlineData(QueueFailure.SessionLost)]
    public async Task CallAsync_WaitingWouldNotHelp_IsNotTriedAgain(QueueFailure failure)
    {
        await Assert.ThrowsAsync<QueueException>(() => _line.CallAsync(FailsFor(failure, TimeSpan.FromHours(1)), Token));
        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task CallAsync_AnswersWhileAnotherIsRefused_StaysPaused()
    {
        var refused = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        var waiting = _line.CallAsync(
            async _ =>
            {
                if (_calls++ == 0)
                    throw new QueueException(QueueFailure.Denied, "Ask for it.");
                refused.SetResult();
                await release.Task;
                return "late";
            },
            Token);
        await refused.Task;
        await _line.CallAsync(_ => Task.FromResult("soon"), Token);
        _line.Answered();
        Assert.Equal(NodeState.Paused, _standing.Now.State);
        release.SetResult();
        await waiting;
        Assert.Equal(NodeState.Idle, _standing.Now.State);
    }

    private Func<CancellationToken, Task<string>> FailsFor(QueueFailure failure, TimeSpan duration)
    {
        var since = _clock.GetTimestamp();
        return _ =>
        {
            _calls++;
            return _clock.GetElapsedTime(since) < duration ? throw new QueueException(failure, "Ask for it.") : Task.FromResult("answer");
        };
    }

    /// <summary>Whoever waits is not kept waiting: the clock jumps.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Add(ref _ticks, dueTime.Ticks);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
