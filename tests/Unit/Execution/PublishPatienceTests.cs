using Sisyphus.Engine.Execution;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class PublishPatienceTests
{
    private readonly SteppedClock _clock = new();

    [Theory]
    [InlineData(10, 0, 10)]
    [InlineData(10, 300, 310)]
    [InlineData(0, 5, 5)]
    [InlineData(10, 100_000, 24 * 60)]
    public void Left_RunOfSomeMinutes_GrowsWithItUpToADay(double least, double ran, double expected) =>
        Assert.Equal(expected, Patience(least, ran).Left(isDenied: false, 0).TotalMinutes);

    [Theory]
    [InlineData(10, 0, 1)]
    [InlineData(10, 300, 301)]
    [InlineData(0, 5, 5)]
    public void Left_Denied_WaitsAMinuteMore(double least, double ran, double expected) =>
        Assert.Equal(expected, Patience(least, ran).Left(isDenied: true, 0).TotalMinutes);

    [Fact]
    public void Left_NothingArrives_RunsDown()
    {
        var patience = Patience(10, 0);
        Assert.Equal(10, patience.Left(isDenied: false, 1).TotalMinutes);
        _clock.Pass(TimeSpan.FromMinutes(6));
        Assert.Equal(4, patience.Left(isDenied: false, 1).TotalMinutes);
        _clock.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(-1, patience.Left(isDenied: false, 1).TotalMinutes);
    }

    [Theory]
    [InlineData(false, 2, 10)]
    [InlineData(true, 1, 1)]
    public void Left_SomethingArrivedOrAnotherTrouble_BeginsAnew(bool isDenied, int arrived, double expected)
    {
        var patience = Patience(10, 0);
        patience.Left(isDenied: false, 1);
        _clock.Pass(TimeSpan.FromMinutes(11));
        Assert.Equal(expected, patience.Left(isDenied, arrived).TotalMinutes);
    }

    private PublishPatience Patience(double least, double ran) => new(TimeSpan.FromMinutes(least), TimeSpan.FromMinutes(ran), _clock);
}
