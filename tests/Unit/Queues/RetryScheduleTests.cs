using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public sealed class RetryScheduleTests
{
    private static readonly RetrySchedule s_schedule = new();

    [Theory]
    [InlineData(FailureReason.TransferFailed, 1, 10)]
    [InlineData(FailureReason.TransferFailed, 3, 600)]
    [InlineData(FailureReason.TransferFailed, 50, 3600)]
    [InlineData(FailureReason.ImagePullFailed, 1, 60)]
    public void After_NothingAsked_IsTheStepWithinAFifth(FailureReason reason, int failed, double seconds)
    {
        Assert.Equal(seconds * 0.8, s_schedule.After(reason, failed, 0).TotalSeconds, 6);
        Assert.Equal(seconds * 1.2, s_schedule.After(reason, failed, 1).TotalSeconds, 6);
    }

    // In the middle it is a step itself: a broker has queues for no other delays.
    [Theory]
    [InlineData(1, 5, 10)]
    [InlineData(1, 10, 10)]
    [InlineData(1, 11, 60)]
    [InlineData(2, 11, 60)]
    [InlineData(1, 601, 3600)]
    [InlineData(1, 1_000_000, 3600)]
    public void After_ServiceAskedToBeLeftAlone_IsTheNextStepThatIsLongEnough(int failed, double asked, double seconds)
    {
        Assert.Equal(seconds, s_schedule.After(FailureReason.TransferFailed, failed, 0.5, TimeSpan.FromSeconds(asked)).TotalSeconds, 6);
        Assert.InRange(s_schedule.After(FailureReason.TransferFailed, failed, 0, TimeSpan.FromSeconds(asked)).TotalSeconds, Math.Min(asked, 3600), seconds);
    }
}
