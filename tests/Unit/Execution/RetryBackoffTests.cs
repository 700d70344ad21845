using Sisyphus.Engine.Execution;

using Xunit;

namespace Sisyphus.Tests.Unit.Execution;

public sealed class RetryBackoffTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 8)]
    [InlineData(7, 60)]
    [InlineData(100, 60)]
    public void After_AttemptFailed_DoublesUpToAMinuteWithinAFifth(int attempt, double seconds)
    {
        Assert.Equal(seconds * 0.8, RetryBackoff.After(attempt, 0).TotalSeconds, 6);
        Assert.Equal(seconds, RetryBackoff.After(attempt, 0.5).TotalSeconds, 6);
        Assert.Equal(seconds * 1.2, RetryBackoff.After(attempt, 1).TotalSeconds, 6);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(45, 47)]
    [InlineData(100_000, 3602)]
    public void After_ServiceAskedToBeLeftAlone_WaitsAsLongOnTopUpToAnHour(int asked, double seconds) =>
        Assert.Equal(seconds, RetryBackoff.After(2, 0.5, TimeSpan.FromSeconds(asked)).TotalSeconds, 6);
}
