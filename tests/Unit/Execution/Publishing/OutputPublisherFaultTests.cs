using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Execution.Publishing;

/// <summary>The protocol with a fault at every single call that it makes.</summary>
public sealed class OutputPublisherFaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private sealed class CrashedException : Exception;

    [Theory, InlineData(false), InlineData(true)]
    public async Task Publish_CrashAtAnyCall_AnotherAttemptFinishesWithOneCompleteSet(bool applied)
    {
        var winners = new Dictionary<string, int> { ["first-try"] = 0, ["second-try"] = 0 };
        for (var crashAt = 1; ; crashAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), applied), () => new CrashedException()));
            var survived = await SurvivesAsync(() => fixture.PublishAsync(crashing, "first-try"));

            // What a reader sees in between: done means complete.
            if (await fixture.DecisionAsync() is { } decision && decision.GetProperty("done").GetBoolean())
                Assert.Equal("first-try", await fixture.PublishedAttemptAsync());

            var publication = await fixture.PublishAsync(fixture.Publisher(), "second-try");
            Assert.True(publication.IsDone);
            Assert.Equal(publication.AttemptId, await fixture.PublishedAttemptAsync());
            Assert.Equal(publication.AttemptId, publication.Record.GetProperty("attempt").GetString());
            await fixture.Publisher().SweepAsync(PublishingFixture.Home, TimeSpan.Zero, Token);
            await fixture.Publisher().SweepAsync(PublishingFixture.Finals[2], TimeSpan.Zero, Token);
            Assert.Empty(await fixture.StagedAsync());
            winners[publication.AttemptId]++;
            if (survived)
                break;
            Assert.True(crashAt < 1000, "The publisher never came to an end.");
        }
        Assert.All(winners, winner => Assert.NotEqual(0, winner.Value));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Find_AfterCrashAtAnyCall_FinishesWhatWasDecidedAndNothingElse(bool applied)
    {
        for (var crashAt = 1; ; crashAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), applied), () => new CrashedException()));
            var survived = await SurvivesAsync(() => fixture.PublishAsync(crashing, "first-try"));
            var decided = await fixture.DecisionAsync() is not null;

            var publication = await fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
            Assert.Equal(decided, publication is not null);
            if (decided)
                Assert.Equal("first-try", await fixture.PublishedAttemptAsync());
            else
                Assert.Null(await fixture.FinalAsync(0));
            if (survived)
                break;
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Find_CrashWhileFinishing_IsFinishedByTheNext(bool applied)
    {
        for (var crashAt = 1; ; crashAt++)
        {
            using var fixture = new PublishingFixture();
            await DecideOnlyAsync(fixture);
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), applied), () => new CrashedException()));
            var survived = await SurvivesAsync(() => crashing.FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));

            await fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
            Assert.Equal("first-try", await fixture.PublishedAttemptAsync());
            Assert.True((await fixture.DecisionAsync())!.Value.GetProperty("done").GetBoolean());
            if (survived)
                break;
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Publish_OneFailedCallAnywhere_StillSucceedsAlone(bool applied)
    {
        for (var failAt = 1; ; failAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            var publisher = fixture.Publisher(store => new FaultyStore(
                store,
                _ => Interlocked.Increment(ref calls) == failAt ? (applied ? Fault.After : Fault.Before) : Fault.None,
                () => new TaskFailureException(FailureReason.TransferFailed, "The connection was reset.")));
            try
            {
                var publication = await fixture.PublishAsync(publisher, "only-try");
                Assert.Equal("only-try", publication.AttemptId);
                Assert.Equal("only-try", await fixture.PublishedAttemptAsync());
                Assert.Empty(await fixture.StagedAsync());
            }
            catch (TaskFailureException e)
            {
                Assert.Fail($"Call {failAt} ({applied}): {e}");
            }
            if (calls < failAt)
                break;
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Recover_AfterCrashAtAnyCall_LeavesNothingStaged(bool applied)
    {
        for (var crashAt = 1; ; crashAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), applied), () => new CrashedException()));
            var survived = await SurvivesAsync(() => fixture.PublishAsync(crashing, "first-try"));
            await fixture.Publisher().RecoverAsync(PublishingFixture.TaskId, "first-try", PublishingFixture.Finals, Token);
            Assert.Empty(await fixture.StagedAsync());
            if (survived)
                break;
        }
    }

    [Fact]
    public async Task Publish_CanceledAfterAnyCall_LeavesNothingStagedOnceAnotherHasFinished()
    {
        for (var cancelAt = 1; ; cancelAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            var canceled = fixture.Publisher(store => new FaultyStore(
                store, _ => Interlocked.Increment(ref calls) == cancelAt ? Fault.After : Fault.None, () => new OperationCanceledException()));
            try
            {
                await fixture.PublishAsync(canceled, "first-try");
                // Canceled in the tidying up, or not at all.
                if (calls < cancelAt)
                    break;
                continue;
            }
            catch (OperationCanceledException)
            {
                await fixture.PublishAsync(fixture.Publisher(), "second-try");
            }

            Assert.Empty(await fixture.StagedAsync());
        }
    }

    private static Fault CrashFrom(int crashAt, int call, bool applied) =>
        call < crashAt ? Fault.None : call == crashAt && applied ? Fault.After : Fault.Before;

    private static async Task<bool> SurvivesAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (CrashedException)
        {
            return false;
        }
    }

    private static async Task DecideOnlyAsync(PublishingFixture fixture)
    {
        for (var crashAt = 1; await fixture.DecisionAsync() is null; crashAt++)
        {
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), true), () => new CrashedException()));
            await SurvivesAsync(() => fixture.PublishAsync(crashing, "first-try"));
        }
        Assert.Null(await fixture.FinalAsync(0));
    }
}
