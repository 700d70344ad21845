using Sisyphus.Engine.Storage.Transfers;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class TransferRateTests
{
    private readonly SteppedClock _clock = new();

    [Fact]
    public void Moved_Steadily_IsThatSpeed()
    {
        var rate = new TransferRate(_clock);
        for (var second = 1; second <= 20; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            rate.Moved(second * 1000);
            Assert.Equal(1000, rate.Current, 0.001);
        }
    }

    [Fact]
    public void Moved_NothingForAWhile_FallsTowardsZero()
    {
        var rate = new TransferRate(_clock);
        for (var second = 1; second <= 30; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            rate.Moved(Math.Min(second, 10) * 1000);
        }
        Assert.InRange(rate.Current, 0, 20);
    }

    [Fact]
    public void Moved_BeganAnew_IsNeverNegative()
    {
        var rate = new TransferRate(_clock);
        _clock.Advance(TimeSpan.FromSeconds(1));
        rate.Moved(5000);
        _clock.Advance(TimeSpan.FromSeconds(1));
        rate.Moved(0);
        Assert.InRange(rate.Current, 0, 2500);
    }

    /// <summary>Stands still until it is told.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
