using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Tasks;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("90", 90)]
    [InlineData("0.5", 0.5)]
    [InlineData("90s", 90)]
    [InlineData("90m", 5400)]
    [InlineData("1h30m", 5400)]
    [InlineData("1h 30m", 5400)]
    [InlineData("1.5h", 5400)]
    [InlineData("1h0.5m", 3630)]
    [InlineData("1d", 86400)]
    [InlineData("2d3h4m5s6ms", 183845.006)]
    [InlineData("250ms", 0.25)]
    [InlineData("1m1ms", 60.001)]
    [InlineData("PT1H30M", 5400)]
    [InlineData("P1W", 604800)]
    [InlineData("P1DT12H", 129600)]
    [InlineData("PT0.5H", 1800)]
    [InlineData("PT1,5S", 1.5)]
    [InlineData("0s", 0)]
    public void Parse_EveryForm_IsTheSpan(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(seconds * 1000), DurationText.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("-1s")]
    [InlineData("1H")]
    [InlineData("1m1h")]
    [InlineData("1.5h1m")]
    [InlineData("1h ")]
    [InlineData(" 1h")]
    [InlineData("1h\n")]
    [InlineData("1hh")]
    [InlineData("1.h")]
    [InlineData(".5h")]
    [InlineData("01:30:00")]
    [InlineData("P")]
    [InlineData("PT")]
    [InlineData("P1DT")]
    [InlineData("P1M")]
    [InlineData("P1Y")]
    [InlineData("PT1M1H")]
    [InlineData("99999999999999999999999999999999999d")]
    [InlineData("999999999999d")]
    public void TryParse_NoDuration_SaysWhy(string text)
    {
        Assert.False(DurationText.TryParse(text, out _, out var error));
        Assert.Contains($"\"{text}\" is ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "1ms")]
    [InlineData(90_000, "1m30s")]
    [InlineData(5_400_000, "1h30m")]
    [InlineData(86_400_000, "1d")]
    [InlineData(90_061_001, "1d1h1m1s1ms")]
    public void Format_Span_IsShort(long milliseconds, string expected) =>
        Assert.Equal(expected, DurationText.Format(TimeSpan.FromMilliseconds(milliseconds)));

    [Fact]
    public void Format_RandomSpans_ReadBackEqual()
    {
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var span = TimeSpan.FromMilliseconds(random.NextInt64(1L << random.Next(1, 32)));
            Assert.Equal(span, DurationText.Parse(DurationText.Format(span)));
        }
    }
}
