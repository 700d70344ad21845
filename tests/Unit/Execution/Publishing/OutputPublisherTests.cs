using System.Text.Json;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Execution.Publishing;

public sealed class OutputPublisherTests : IDisposable
{
    private readonly PublishingFixture _fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Publish_OutputsInTwoStores_AllAreThereWithTheirChecksums()
    {
        var publication = await _fixture.PublishAsync(_fixture.Publisher(), "one");
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
        for (var index = 0; index < PublishingFixture.Finals.Count; index++)
        {
            var sums = ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(PublishingFixture.ContentOf("one", index)));
            var output = publication.Outputs[index];
            Assert.Equal((PublishingFixture.Finals[index].ToString(), sums.Size, Crc32C.ToText(sums.Crc32C), sums.Sha256), (output.RemotePath, output.Size, output.Crc32C, output.Sha256));
        }
        Assert.Equal($"first:.sisyphus/{PublishingFixture.TaskId}/published.json", publication.DecisionPath.ToString());
    }

    [Fact]
    public async Task Publish_Finished_LeavesOnlyFinalObjectsAndTheDecision()
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        Assert.Equal([$".sisyphus/{PublishingFixture.TaskId}/published.json", "out/a", "out/b"], await _fixture.First.KeysAsync("first"));
        Assert.Equal(["deep/er/c"], await _fixture.Second.KeysAsync("second"));
    }

    [Fact]
    public async Task Publish_Decided_ReturnsTheWinnerAndRemovesOwnStaging()
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "winner");
        var publication = await _fixture.PublishAsync(_fixture.Publisher(), "loser");
        Assert.Equal("winner", publication.AttemptId);
        Assert.Equal("winner", publication.Record.GetProperty("attempt").GetString());
        Assert.Equal("winner", await _fixture.PublishedAttemptAsync());
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_OldFinalObjects_AreReplaced()
    {
        await _fixture.First.PutAsync("first", "out/a", "old");
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Publish_StoreReceivesOtherBytes_FailsAndLeavesNothing()
    {
        var publisher = _fixture.Publisher(store => new CorruptingStore(store));
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => _fixture.PublishAsync(publisher, "one"));
        Assert.Null(await _fixture.DecisionAsync());
        Assert.Null(await _fixture.FinalAsync(0));
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_KeyThatTheStoreCannotHold_FailsBeforeTheDecision()
    {
        await _fixture.First.PutAsync("first", "out", "an object where a folder is needed");
        await StoreAssertions.FailsAsync(FailureReason.InvalidDocument, () => _fixture.PublishAsync(_fixture.Publisher(), "one"));
        Assert.Null(await _fixture.DecisionAsync());
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Theory, InlineData("out/a", "out/a"), InlineData("out/a", "out/a/b"), InlineData("out/a", ".sisyphus/x"), InlineData("out/a", "out/"), InlineData("out/a", "")]
    public async Task Publish_KeysInEachOthersWay_IsRefused(string one, string other)
    {
        var path = _fixture.Outputs("one")[0].LocalPath;
        OutputFile[] outputs = [new(path, new RemotePath(null, "first", one)), new(path, new RemotePath(null, "first", other))];
        await StoreAssertions.FailsAsync(FailureReason.InvalidDocument, () => _fixture.Publisher().PublishAsync(PublishingFixture.TaskId, "one", PublishingFixture.Home, outputs, _ => default, null, Token));
        Assert.False(await _fixture.First.BucketExistsAsync("first", Token));
    }

    [Fact]
    public async Task Publish_NoOutputs_IsDecidedStill()
    {
        var publisher = _fixture.Publisher();
        var publication = await publisher.PublishAsync("t", "one", PublishingFixture.Home, [], _ => JsonSerializer.SerializeToElement("record"), null, Token);
        Assert.Empty(publication.Outputs);
        Assert.Equal("record", (await publisher.FindAsync("t", PublishingFixture.Home, Token))!.Record.GetString());
    }

    [Fact]
    public async Task Publish_LocalFileMissing_LeavesNothing()
    {
        var outputs = _fixture.Outputs("one");
        File.Delete(outputs[2].LocalPath);
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => _fixture.Publisher().PublishAsync("t", "one", PublishingFixture.Home, outputs, _ => default, null, Token));
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_Progress_EndsWithEverything()
    {
        var last = default(TransferProgress);
        await _fixture.Publisher().PublishAsync("t", "one", PublishingFixture.Home, _fixture.Outputs("one"), _ => JsonSerializer.SerializeToElement(1), new Callback(value => last = value), Token);
        Assert.Equal((3, 3), (last.Objects, last.TotalObjects));
        Assert.Equal((last.TotalBytes, true), (last.Bytes, last.Bytes > 3000));
    }

    [Fact]
    public async Task Find_NothingDecided_IsNull() => Assert.Null(await _fixture.Publisher().FindAsync("other", PublishingFixture.Home, Token));

    [Fact]
    public async Task Find_StagedAndFinalGone_SaysSo()
    {
        await UndoneAsync();
        await _fixture.First.DeleteAsync("first", "out/b", Token);
        var failure = await StoreAssertions.FailsAsync(FailureReason.Internal, () => _fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));
        Assert.Contains("first:out/b", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_StagedGoneButFinalRight_IsFinished()
    {
        await UndoneAsync();
        Assert.True((await _fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token))!.IsDone);
        Assert.True((await _fixture.DecisionAsync())!.Value.GetProperty("done").GetBoolean());
    }

    [Fact]
    public async Task Find_StagedGoneAndFinalOfSameSizeButOther_SaysSo()
    {
        await UndoneAsync();
        await _fixture.First.PutAsync("first", "out/a", PublishingFixture.ContentOf("two", 0));
        await StoreAssertions.FailsAsync(FailureReason.Internal, () => _fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));
    }

    [Fact]
    public async Task Find_DecisionWithUnknownKeys_KeepsThemWhenMarkedDone()
    {
        await UndoneAsync(json => json.Replace("\"done\":false", "\"done\":false,\"later\":{\"x\":1}", StringComparison.Ordinal));
        await _fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
        Assert.Equal(1, (await _fixture.DecisionAsync())!.Value.GetProperty("later").GetProperty("x").GetInt32());
    }

    [Theory, InlineData("\"version\":1", "\"version\":2"), InlineData("\"task\":\"task-1\"", "\"task\":\"task-2\""), InlineData("{", "[")]
    public async Task Find_DecisionThatCannotBeUnderstood_SaysSo(string old, string replacement)
    {
        await UndoneAsync(json => json.Replace(old, replacement, StringComparison.Ordinal));
        await StoreAssertions.FailsAsync(FailureReason.Internal, () => _fixture.Publisher().FindAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));
    }

    [Fact]
    public async Task PublishFailure_Undecided_PublishesLogAndRecordOnly()
    {
        var failure = await PublishFailureAsync("failed");
        Assert.Equal($"first:.sisyphus/{PublishingFixture.TaskId}/failed/record.json", failure.Record!.ToString());
        Assert.Null(failure.Decided);
        Assert.Equal([$".sisyphus/{PublishingFixture.TaskId}/failed/record.json", "out/a"], await _fixture.First.KeysAsync("first"));
        Assert.Equal(PublishingFixture.ContentOf("failed", 0), await _fixture.FinalAsync(0));
        Assert.Null(await _fixture.DecisionAsync());
    }

    [Fact]
    public async Task PublishFailure_ThenSuccess_TheSuccessStands()
    {
        await PublishFailureAsync("failed");
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task PublishFailure_Decided_ChangesNothingAndReturnsTheWinner()
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        var failure = await PublishFailureAsync("failed");
        Assert.Equal(("one", true), (failure.Decided!.AttemptId, failure.Record is null));
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Sweep_YoungStaging_IsLeftAlone()
    {
        await _fixture.First.PutAsync("first", $".sisyphus/{PublishingFixture.TaskId}/dead/outputs/000000", "x");
        Assert.Equal(0, await _fixture.Publisher().SweepAsync(PublishingFixture.Home, TimeSpan.FromHours(1), Token));
        Assert.Single(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Sweep_OldStagingBesideRecordAndFinals_RemovesOnlyStaging()
    {
        await PublishFailureAsync("failed");
        await _fixture.First.PutAsync("first", $".sisyphus/{PublishingFixture.TaskId}/dead/outputs/000000", "x");
        Assert.Equal(1, await _fixture.Publisher().SweepAsync(PublishingFixture.Home, TimeSpan.Zero, Token));
        Assert.Equal([$".sisyphus/{PublishingFixture.TaskId}/failed/record.json", "out/a"], await _fixture.First.KeysAsync("first"));
    }

    [Fact]
    public async Task Sweep_MissingBucket_IsNothing() =>
        Assert.Equal(0, await _fixture.Publisher().SweepAsync(new RemotePath(null, "missing", ""), TimeSpan.Zero, Token));

    [Theory, InlineData(""), InlineData("a/b"), InlineData("published.json"), InlineData("ä")]
    public async Task Publish_AttemptIdThatIsNone_IsRefused(string attempt) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _fixture.Publisher().PublishAsync("t", attempt, PublishingFixture.Home, [], _ => default, null, Token));

    private Task<FailurePublication> PublishFailureAsync(string attempt) =>
        _fixture.Publisher().PublishFailureAsync(PublishingFixture.TaskId, attempt, PublishingFixture.Home, [_fixture.Outputs(attempt)[0]], _ => JsonSerializer.SerializeToElement("failed"), Token);

    // Published, its staging gone, but not marked done: as a crash right before the mark leaves it when somebody also swept.
    private async Task UndoneAsync(Func<string, string>? edit = null)
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        var key = $".sisyphus/{PublishingFixture.TaskId}/published.json";
        var json = (await _fixture.First.ReadTextAsync("first", key))!.Replace("\"done\":true", "\"done\":false", StringComparison.Ordinal);
        await _fixture.First.PutAsync("first", key, edit?.Invoke(json) ?? json);
    }

    private sealed class Callback(Action<TransferProgress> report) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => report(value);
    }
}
