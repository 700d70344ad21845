using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class RetryTests
{
    private static readonly TransferOptions Options = new() { Attempts = 8, BaseDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(10) };

    private readonly ImpatientClock _clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_FailsAgainAndAgain_PausesGrowToTheLimit()
    {
        await FailAsync(null);
        Assert.Equal(7, _clock.Pauses.Count);
        foreach (var (pause, full) in _clock.Pauses.Zip([1.0, 2, 4, 8, 10, 10, 10]))
            Assert.InRange(pause.TotalSeconds, full / 2, full);
    }

    [Fact]
    public async Task Run_FailsAgainAndAgain_NoTwoPauseAlike()
    {
        for (var i = 0; i < 10; i++)
            await FailAsync(null);
        Assert.True(_clock.Pauses.Where((_, at) => at % 7 == 0).Distinct().Count() > 5);
    }

    [Theory, InlineData(0), InlineData(7), InlineData(10)]
    public async Task Run_ServiceAsksForTime_PauseIsThatAndARandomOne(int seconds)
    {
        await FailAsync(TimeSpan.FromSeconds(seconds));
        foreach (var (pause, full) in _clock.Pauses.Zip([1.0, 2, 4, 8, 10, 10, 10]))
            Assert.InRange(pause.TotalSeconds, seconds + (full / 2), seconds + full);
    }

    [Fact]
    public async Task Run_ServiceAsksForMoreTimeThanThereIs_FailsAtOnceAndKeepsTheWish()
    {
        var failure = await FailAsync(TimeSpan.FromSeconds(11));
        Assert.Empty(_clock.Pauses);
        Assert.Equal((TimeSpan.FromSeconds(11), true), (failure.RetryAfter, failure.IsRetryable));
    }

    [Fact]
    public async Task Run_SucceedsAtLast_ReturnsThat()
    {
        var tries = 0;
        Assert.Equal(3, await new Retry(Options, _clock).RunAsync(() => ++tries == 3 ? Task.FromResult(tries) : throw new IOException(), Token));
        Assert.Equal(2, _clock.Pauses.Count);
    }

    private Task<TaskFailureException> FailAsync(TimeSpan? retryAfter) => Assert.ThrowsAsync<TaskFailureException>(() =>
        new Retry(Options, _clock).RunAsync<int>(() => throw new TaskFailureException(FailureReason.TransferFailed, "busy") { RetryAfter = retryAfter }, Token));

    /// <summary>On which every pause is over as soon as it begins.</summary>
    private sealed class ImpatientClock : TimeProvider
    {
        public List<TimeSpan> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
