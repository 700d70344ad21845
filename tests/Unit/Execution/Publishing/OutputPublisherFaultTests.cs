using System.Text.Json;
using Sisyphus.Engine.Execution.Publishing;
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
            await PublishingFixture.SweepAsync(fixture.Publisher(), PublishingFixture.Home);
            await PublishingFixture.SweepAsync(fixture.Publisher(), PublishingFixture.Finals[2]);
            Assert.Empty(await fixture.StagedAsync());
            winners[publication.AttemptId]++;
            if (survived)
                break;
            Assert.True(crashAt < 1000, "The publisher never came to an end.");
        }
        Assert.All(winners, winner => Assert.NotEqual(0, winner.Value));
    }

    [Fact]
    public async Task Publish_TriedAgainWithWhatIsStaged_SendsTheRestOnly()
    {
        using var fixture = new PublishingFixture();
        var puts = 0;
        var failing = true;
        var publisher = fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (!key.Contains("/outputs/", StringComparison.Ordinal))
                return;
            puts++;
            if (failing && key.EndsWith("000002", StringComparison.Ordinal))
                throw new TaskFailureException(FailureReason.TransferFailed, "down");
        }));
        var kept = new PublicationState();
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => fixture.PublishAsync(publisher, "one", kept));
        Assert.Equal(2, (await fixture.StagedAsync()).Count(key => key.Contains("/outputs/", StringComparison.Ordinal)));

        (failing, puts) = (false, 0);
        await fixture.PublishAsync(publisher, "one", kept);
        Assert.Equal((1, "one"), (puts, await fixture.PublishedAttemptAsync()));
        Assert.Empty(await fixture.StagedAsync());
    }

    [Fact]
    public async Task Abandon_WhatWasKept_LeavesNothing()
    {
        using var fixture = new PublishingFixture();
        var publisher = fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (key.EndsWith("published.json", StringComparison.Ordinal) || key.EndsWith("000002", StringComparison.Ordinal))
                throw new TaskFailureException(FailureReason.TransferFailed, "down");
        }));
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => fixture.PublishAsync(publisher, "one", new PublicationState()));
        await publisher.AbandonAsync(PublishingFixture.TaskId, "one", fixture.Outputs("one"));
        Assert.Empty(await fixture.StagedAsync());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Finish_AfterCrashAtAnyCall_FinishesWhatWasDecidedAndNothingElse(bool applied)
    {
        for (var crashAt = 1; ; crashAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), applied), () => new CrashedException()));
            var survived = await SurvivesAsync(() => fixture.PublishAsync(crashing, "first-try"));
            var decided = await fixture.DecisionAsync() is not null;

            var publication = await fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
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
    public async Task Finish_CrashWhileFinishing_IsFinishedByTheNext(bool applied)
    {
        for (var crashAt = 1; ; crashAt++)
        {
            using var fixture = new PublishingFixture();
            await DecideOnlyAsync(fixture);
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(store, _ => CrashFrom(crashAt, Interlocked.Increment(ref calls), applied), () => new CrashedException()));
            var survived = await SurvivesAsync(() => crashing.FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));

            await fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
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

    [Fact]
    public async Task Publish_SleepsAtAnyCallWhileAnotherFinishesAndAUserGoesOn_LeavesWhatIsThereThen()
    {
        var slept = 0;
        for (var sleepAt = 1; ; sleepAt++)
        {
            using var fixture = new PublishingFixture();
            var (calls, finished) = (0, false);
            var sleeping = fixture.Publisher(store => new FaultyStore(
                store,
                _ =>
                {
                    if (++calls == sleepAt && fixture.DecisionAsync().Result is { } decision && !decision.GetProperty("done").GetBoolean())
                    {
                        fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token).Wait(Token);
                        fixture.First.PutAsync("first", "out/a", "later").Wait(Token);
                        finished = true;
                    }
                    return Fault.None;
                },
                () => new InvalidOperationException()));
            var publication = await fixture.PublishAsync(sleeping, "only-try");
            Assert.Equal(("only-try", true), (publication.AttemptId, publication.IsDone));
            Assert.Equal(finished ? "later" : PublishingFixture.ContentOf("only-try", 0), await fixture.FinalAsync(0));
            Assert.Empty(await fixture.StagedAsync());
            slept += finished ? 1 : 0;
            if (calls < sleepAt)
                break;
        }
        Assert.True(slept > 5);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task PublishFailure_OfTheAttemptThatDecided_LeavesItToBeFinished(bool staysUnfinished)
    {
        using var fixture = new PublishingFixture();
        await DecideOnlyAsync(fixture);
        if (staysUnfinished)
            await fixture.First.DeleteAsync("first", (await fixture.StagedAsync())[1], Token);
        var before = await fixture.StagedAsync();
        var failure = await fixture.Publisher().PublishFailureAsync(
            PublishingFixture.TaskId, "first-try", PublishingFixture.Home, [fixture.Outputs("log")[0]], _ => throw new InvalidOperationException(), Token);
        Assert.True(failure.IsDecided);
        Assert.Equal(before, await fixture.StagedAsync());
        Assert.Null(await fixture.FinalAsync(0));

        await fixture.PublishAsync(fixture.Publisher(), "second-try");
        Assert.Equal(staysUnfinished ? "second-try" : "first-try", await fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task PublishFailure_AfterADecisionThatMayComeLate_KeepsTheStagedOutputs()
    {
        using var fixture = new PublishingFixture();
        var lost = fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (key.EndsWith("published.json", StringComparison.Ordinal))
                throw new TaskFailureException(FailureReason.TransferFailed, "down");
        }));
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => fixture.PublishAsync(lost, "one", new PublicationState()));
        var before = await fixture.StagedAsync();
        await fixture.Publisher().PublishFailureAsync(PublishingFixture.TaskId, "one", PublishingFixture.Home, [fixture.Outputs("log")[0]], _ => JsonSerializer.SerializeToElement("failed"), Token);
        Assert.Equal(before, await fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_DecisionAppliedAfterItsAttemptWasTidiedUp_IsReplaced()
    {
        using var fixture = new PublishingFixture();
        await DecideOnlyAsync(fixture);
        await fixture.Publisher().AbandonAsync(PublishingFixture.TaskId, "first-try", fixture.Outputs("first-try"));
        Assert.Null(await fixture.Publisher().RecoverAsync(PublishingFixture.TaskId, "first-try", PublishingFixture.Finals, Token));
        Assert.Equal("second-try", (await fixture.PublishAsync(fixture.Publisher(), "second-try")).AttemptId);
        Assert.Equal("second-try", await fixture.PublishedAttemptAsync());
        Assert.Empty(await fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_CanceledAfterTheDecision_GoesOn()
    {
        using var fixture = new PublishingFixture();
        using var cancel = new CancellationTokenSource();
        var publisher = fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (key.EndsWith("published.json", StringComparison.Ordinal))
                cancel.Cancel();
        }));
        Assert.True((await publisher.PublishAsync(fixture.Request("one"), null, cancel.Token)).IsDone);
        Assert.Equal("one", await fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Publish_TriedAgainAndCanceledAfterAPossibleDecision_KeepsWhatIsStaged()
    {
        using var fixture = new PublishingFixture();
        using var cancel = new CancellationTokenSource();
        var publisher = fixture.Publisher(store => new FaultyStore(store, _ => fixture.DecisionAsync().Result is null ? Fault.None : Fault.Before, () => new TaskFailureException(FailureReason.TransferFailed, "down")));
        var request = fixture.Request("one") with { Kept = new PublicationState() };
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => publisher.PublishAsync(request, null, cancel.Token));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Publisher().PublishAsync(request, null, cancel.Token));
        Assert.Equal("one", (await fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token))!.AttemptId);
        Assert.Equal("one", await fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Abandon_OneBucketDenies_CleansTheOthers()
    {
        using var fixture = new PublishingFixture();
        await DecideOnlyAsync(fixture);
        var publisher = fixture.Publisher(store => store == fixture.First ? new FaultyStore(store, _ => Fault.Before, () => new TaskFailureException(FailureReason.InputDenied, "denied")) : store);
        await publisher.AbandonAsync(PublishingFixture.TaskId, "first-try", fixture.Outputs("first-try"));
        Assert.Empty(await fixture.Second.KeysAsync("second"));
        Assert.Equal(2, (await fixture.StagedAsync()).Count);
    }

    [Theory, InlineData("{}"), InlineData("no JSON"), InlineData("{\"bucket\":\"nowhere\",\"key\":\"x\"}"), InlineData("{\"scheme\":\"file\",\"bucket\":\"\",\"key\":\"/srv/x\"}")]
    public async Task Sweep_PointerThatLeadsNowhere_LeavesThatAttemptAndGoesOn(string content)
    {
        using var fixture = new PublishingFixture();
        foreach (var attempt in (string[])["dead", "gone"])
            await fixture.Second.PutAsync("second", $".sisyphus/{PublishingFixture.TaskId}/{attempt}/outputs/000000", "x");
        await fixture.Second.PutAsync("second", $".sisyphus/{PublishingFixture.TaskId}/dead/home", content);
        var warnings = new List<string>();
        Assert.Equal(1, await fixture.Publisher().SweepAsync(PublishingFixture.Finals[2], TimeSpan.Zero, warnings.Add, Token));
        Assert.Contains("the attempt dead", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal([$".sisyphus/{PublishingFixture.TaskId}/dead/home", $".sisyphus/{PublishingFixture.TaskId}/dead/outputs/000000"], await fixture.Second.KeysAsync("second"));
    }

    [Fact]
    public async Task Sweep_DecisionThatCannotBeRead_LeavesThatTaskAndGoesOn()
    {
        using var fixture = new PublishingFixture();
        await DecideOnlyAsync(fixture);
        await fixture.EditDecisionAsync(_ => "{");
        await fixture.First.PutAsync("first", ".sisyphus/other/dead/outputs/000000", "x");
        var warnings = new List<string>();
        Assert.Equal(1, await fixture.Publisher().SweepAsync(PublishingFixture.Home, TimeSpan.Zero, warnings.Add, Token));
        Assert.Single(warnings);
        Assert.Equal(4, (await fixture.StagedAsync()).Count);
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
