using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Execution.Publishing;

public sealed class DirectPublicationTests : IDisposable
{
    private readonly PublishingFixture _fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Publish_Direct_WritesTheFinalKeysAndNothingElse()
    {
        var written = new List<string>();
        var publisher = _fixture.Publisher(store => new CountingStore(store, written.Add));
        var publication = await _fixture.PublishAsync(publisher, "one", direct: true);
        Assert.Equal(("one", true, "one"), (publication.AttemptId, publication.IsDone, await _fixture.PublishedAttemptAsync()));
        Assert.Equal([".sisyphus/task-1/published.json", "deep/er/c", "out/a", "out/b", ".sisyphus/task-1/published.json"], [written[0], .. written[1..^1].Order(StringComparer.Ordinal), written[^1]]);
        Assert.Equal(2, (await _fixture.DecisionAsync())!.Value.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task Publish_AfterAnother_IsTheOthers()
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "one", direct: true);
        Assert.Equal("one", (await _fixture.PublishAsync(_fixture.Publisher(), "two", direct: true)).AttemptId);
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Finish_AllSentButNotMarked_Finishes()
    {
        await FailAtAsync(".sisyphus/task-1/published.json", from: 2);
        var publication = await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
        Assert.Equal(("one", true), (publication!.AttemptId, publication.IsDone));
    }

    [Fact]
    public async Task Publish_AfterOneThatDiedHalfWay_TakesItsPlace()
    {
        await FailAtAsync("out/b", from: 1);
        Assert.Null(await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));

        var publication = await _fixture.PublishAsync(_fixture.Publisher(), "two", direct: true);
        Assert.Equal(("two", true, "two"), (publication.AttemptId, publication.IsDone, await _fixture.PublishedAttemptAsync()));
    }

    [Fact]
    public async Task Publish_TriedAgainByTheSameAttempt_GoesOn()
    {
        await FailAtAsync("out/b", from: 1);
        var publication = await _fixture.PublishAsync(_fixture.Publisher(), "one", direct: true);
        Assert.Equal(("one", true, "one"), (publication.AttemptId, publication.IsDone, await _fixture.PublishedAttemptAsync()));
    }

    [Fact]
    public async Task Publish_TriedAgainByTheSameAttempt_SendsNothingTwice()
    {
        await FailAtAsync("out/b", from: 1);
        var written = new List<string>();
        await _fixture.PublishAsync(_fixture.Publisher(store => new CountingStore(store, written.Add)), "one", direct: true);
        Assert.Equal(["deep/er/c", "out/b"], written[1..^1].Order(StringComparer.Ordinal));
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Publish_TriedAgainWithAnotherFileAtTheFinalKey_SendsIt()
    {
        await FailAtAsync("out/b", from: 1);
        await _fixture.First.PutAsync("first", "out/a", PublishingFixture.ContentOf("two", 0));
        await _fixture.PublishAsync(_fixture.Publisher(), "one", direct: true);
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Publish_ReplacedWhileItSends_SendsNoMoreAndIsTheOthers()
    {
        var written = new List<string>();
        var publisher = _fixture.Publisher(store => new CountingStore(store, key =>
        {
            written.Add(key);
            // One is on its way when the other comes, and arrives after the other's.
            if (key == "out/a")
                Assert.Equal("two", _fixture.PublishAsync(_fixture.Publisher(), "two", direct: true).Result.AttemptId);
        }));
        var publication = await _fixture.PublishAsync(publisher, "one", direct: true);
        Assert.Equal(("two", true), (publication.AttemptId, publication.IsDone));
        Assert.Equal([".sisyphus/task-1/published.json", "out/a"], written);
        Assert.Equal("two", (await _fixture.DecisionAsync())!.Value.GetProperty("attempt").GetString());
        Assert.Equal(PublishingFixture.ContentOf("two", 1), await _fixture.FinalAsync(1));
    }

    [Fact]
    public async Task Publish_ReplacedWhileALongUploadGoesOn_DoesNotFinishTheObject()
    {
        var clock = new SteppedClock();
        var publisher = _fixture.Publisher(
            store => new CountingStore(store, key =>
            {
                if (key != "out/a")
                    return;
                Assert.Equal("two", _fixture.PublishAsync(_fixture.Publisher(), "two", direct: true).Result.AttemptId);
                clock.Pass(TimeSpan.FromMinutes(1));
            }),
            time: clock);
        Assert.Equal("two", (await _fixture.PublishAsync(publisher, "one", direct: true)).AttemptId);
        Assert.Equal("two", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Publish_FinishedByAnotherWhileItSleeps_LeavesWhatIsThereThen()
    {
        var times = 0;
        var publisher = _fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (key != "out/b" || ++times != 1)
                return;
            foreach (var output in _fixture.Outputs("one").Skip(1))
                (output.Remote.Bucket == "second" ? _fixture.Second : _fixture.First).PutAsync(output.Remote.Bucket, output.Remote.Key, File.ReadAllText(output.LocalPath)).Wait(Token);
            _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token).Wait(Token);
            _fixture.First.PutAsync("first", "out/b", "later").Wait(Token);
            throw new TaskFailureException(FailureReason.TransferFailed, "cut off");
        }));
        Assert.True((await _fixture.PublishAsync(publisher, "one", direct: true)).IsDone);
        Assert.Equal("later", await _fixture.FinalAsync(1));
    }

    [Fact]
    public async Task Publish_OldFinalObjectsOfTheSameSizes_DoNotCountAsSent()
    {
        await FailAtAsync("out/a", from: 1);
        foreach (var (final, index) in PublishingFixture.Finals.Select((final, index) => (final, index)))
            await (final.Bucket == "second" ? _fixture.Second : _fixture.First).PutAsync(final.Bucket, final.Key, PublishingFixture.ContentOf("old", index));
        Assert.Null(await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));
        Assert.Equal("two", (await _fixture.PublishAsync(_fixture.Publisher(), "two", direct: true)).AttemptId);
        Assert.Equal("two", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task PublishFailure_BesideALivingWinner_LeavesItsLog()
    {
        FailurePublication? failure = null;
        var publisher = _fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (key == "out/b")
                failure = _fixture.Publisher().PublishFailureAsync(PublishingFixture.TaskId, "failed", PublishingFixture.Home, [_fixture.Outputs("failed")[0]], _ => throw new InvalidOperationException(), Token).Result;
        }));
        await _fixture.PublishAsync(publisher, "one", direct: true);
        Assert.True(failure!.IsDecided);
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Publish_ReplacedWhenAllIsSent_MarksNothing()
    {
        var times = 0;
        var publisher = _fixture.Publisher(store => new CountingStore(store, key =>
        {
            if (key != ".sisyphus/task-1/published.json" || ++times != 2)
                return;
            // Nobody would replace a publication that is complete.
            _fixture.First.DeleteAsync("first", "out/a", Token).Wait(Token);
            _fixture.PublishAsync(_fixture.Publisher(), "two", direct: true).Wait(Token);
        }));
        Assert.Equal("two", (await _fixture.PublishAsync(publisher, "one", direct: true)).AttemptId);
        Assert.Equal("two", await _fixture.PublishedAttemptAsync());
        Assert.Equal("two", (await _fixture.DecisionAsync())!.Value.GetProperty("attempt").GetString());
    }

    [Fact]
    public async Task Publish_NotToReplaceAnother_LeavesItsDecision()
    {
        await FailAtAsync("out/b", from: 1);
        var request = _fixture.Request("two") with { Direct = true, BeforeReplacing = _ => throw new OperationCanceledException() };
        await Assert.ThrowsAsync<OperationCanceledException>(() => _fixture.Publisher().PublishAsync(request, null, Token));
        Assert.Equal("one", (await _fixture.DecisionAsync())!.Value.GetProperty("attempt").GetString());
        Assert.Null(await _fixture.FinalAsync(1));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Publish_CrashAtAnyCall_AnotherAttemptPublishesOneCompleteSet(bool applied)
    {
        for (var (crashAt, survived) = (1, false); !survived; crashAt++)
        {
            Assert.True(crashAt < 1000, "The publisher never came to an end.");
            using var fixture = new PublishingFixture();
            var calls = 0;
            var crashing = fixture.Publisher(store => new FaultyStore(
                store, _ => Interlocked.Increment(ref calls) switch { var call when call < crashAt => Fault.None, var call when call == crashAt && applied => Fault.After, _ => Fault.Before }, () => new InvalidOperationException("crashed")));
            survived = await Record.ExceptionAsync(() => fixture.PublishAsync(crashing, "one", direct: true)) is null;
            if (await fixture.DecisionAsync() is { } decision && decision.GetProperty("done").GetBoolean())
                Assert.Equal("one", await fixture.PublishedAttemptAsync());

            var publication = await fixture.PublishAsync(fixture.Publisher(), "two", direct: true);
            Assert.Equal((true, await fixture.PublishedAttemptAsync()), (publication.IsDone, publication.AttemptId));
        }
    }

    [Fact]
    public async Task Publish_AnswerOfAnyCallLost_IsComplete()
    {
        for (var (lostAt, lost) = (1, true); lost; lostAt++)
        {
            using var fixture = new PublishingFixture();
            var calls = 0;
            lost = false;
            var publisher = fixture.Publisher(store => new FaultyStore(
                store, _ => Interlocked.Increment(ref calls) == lostAt && (lost = true) ? Fault.After : Fault.None, () => new TaskFailureException(FailureReason.TransferFailed, "lost")));
            var publication = await fixture.PublishAsync(publisher, "one", direct: true);
            Assert.Equal(("one", true, "one"), (publication.AttemptId, publication.IsDone, await fixture.PublishedAttemptAsync()));
        }
    }

    /// <summary>An attempt whose process dies when it writes this key for the nth time.</summary>
    private async Task FailAtAsync(string key, int from)
    {
        var times = 0;
        var publisher = _fixture.Publisher(store => new CountingStore(store, written =>
        {
            if (written == key && ++times >= from)
                throw new TaskFailureException(FailureReason.InputDenied, "dead");
        }));
        await StoreAssertions.FailsAsync(FailureReason.InputDenied, () => _fixture.PublishAsync(publisher, "one", direct: true));
    }
}
