using System.Text.Json;
using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
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
        await StoreAssertions.FailsAsync(FailureReason.InvalidDocument, () => _fixture.Publisher().PublishAsync(_fixture.Request("one", outputs), null, Token));
        Assert.False(await _fixture.First.BucketExistsAsync("first", Token));
    }

    [Fact]
    public async Task Publish_NoOutputs_IsDecidedStill()
    {
        var publisher = _fixture.Publisher();
        var publication = await publisher.PublishAsync(_fixture.Request("one", []) with { TaskId = "t", Record = (_, _) => JsonSerializer.SerializeToElement("record") }, null, Token);
        Assert.Empty(publication.Outputs);
        Assert.Equal("record", (await publisher.FinishAsync("t", PublishingFixture.Home, Token))!.Record.GetString());
    }

    [Fact]
    public async Task Publish_LocalFileMissing_LeavesNothing()
    {
        var outputs = _fixture.Outputs("one");
        File.Delete(outputs[2].LocalPath);
        await StoreAssertions.FailsAsync(FailureReason.TransferFailed, () => _fixture.Publisher().PublishAsync(_fixture.Request("one", outputs) with { TaskId = "t" }, null, Token));
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Publish_Progress_EndsWithEverything()
    {
        var last = default(TransferProgress);
        await _fixture.Publisher().PublishAsync(_fixture.Request("one") with { TaskId = "t" }, new Callback(value => last = value), Token);
        Assert.Equal((3, 3), (last.Objects, last.TotalObjects));
        Assert.Equal((last.TotalBytes, true), (last.Bytes, last.Bytes > 3000));
    }

    [Fact]
    public async Task Finish_NothingDecided_IsNull() => Assert.Null(await _fixture.Publisher().FinishAsync("other", PublishingFixture.Home, Token));

    [Fact]
    public async Task Finish_StagedAndFinalGone_IsNotToBeDoneAndTheNextAttemptTakesItsPlace()
    {
        await UndoneAsync();
        await _fixture.First.DeleteAsync("first", "out/b", Token);
        Assert.Null(await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));

        var asked = 0;
        var request = _fixture.Request("two") with { BeforeReplacing = _ => Task.FromResult(asked++) };
        var publication = await _fixture.Publisher().PublishAsync(request, null, Token);
        Assert.Equal(("two", true, "two", 1), (publication.AttemptId, publication.IsDone, await _fixture.PublishedAttemptAsync(), asked));
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Finish_StagedGoneButFinalRight_IsFinished()
    {
        await UndoneAsync();
        Assert.True((await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token))!.IsDone);
        Assert.True((await _fixture.DecisionAsync())!.Value.GetProperty("done").GetBoolean());
    }

    [Fact]
    public async Task Publish_TwoOutputsThatAreOneObjectByTwoNames_IsRefusedBeforeAnythingIsThere()
    {
        using var folder = new TemporaryFolder();
        var stores = ObjectStores.Open(folder["root"], new Dictionary<string, string> { ["alias"] = folder["root/first"] });
        var publisher = new OutputPublisher(path => stores.Resolve(path), new TransferScheduler(PublishingFixture.Fast));
        var local = folder["local"];
        await File.WriteAllTextAsync(local, "x", Token);
        var request = _fixture.Request("a", [new OutputFile(local, new(null, "first", "out/a")), new OutputFile(local, new(null, "alias", "out/a"))]);
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => publisher.PublishAsync(request, null, Token));
        Assert.Equal(FailureReason.InvalidDocument, failure.Reason);
        Assert.Contains("first:out/a, which is alias:out/a", failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["root"]));
    }

    [Fact]
    public async Task Finish_StagedGoneAndFinalOfSameSizeButOther_IsNotToBeDone()
    {
        await UndoneAsync();
        await _fixture.First.PutAsync("first", "out/a", PublishingFixture.ContentOf("two", 0));
        Assert.Null(await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));
        Assert.Equal("two", (await _fixture.PublishAsync(_fixture.Publisher(), "two")).AttemptId);
        Assert.Equal("two", await _fixture.PublishedAttemptAsync());
    }

    [Fact]
    public async Task Finish_DecisionWithUnknownKeys_KeepsThemWhenMarkedDone()
    {
        await UndoneAsync(json => json.Replace("\"done\":false", "\"done\":false,\"later\":{\"x\":1}", StringComparison.Ordinal));
        await _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token);
        Assert.Equal(1, (await _fixture.DecisionAsync())!.Value.GetProperty("later").GetProperty("x").GetInt32());
    }

    [Theory, InlineData("\"version\":1", "\"version\":3"), InlineData("\"task\":\"task-1\"", "\"task\":\"task-2\""), InlineData("{", "["),
     InlineData(".sisyphus/task-1/one/outputs/", ".sisyphus/task-2/one/outputs/"), InlineData(".sisyphus/task-1/one/outputs/000000", "out/b"), InlineData("\"crc32C\":\"", "\"crc32C\":\"x"), InlineData("\"attempt\":\"one\"", "\"attempt\":\"../one\""),
     InlineData("\"outputs\":[", "\"outputs\":[null,"), InlineData("\"key\":\"out/a\"", "\"key\":\".sisyphus/task-2/published.json\"")]
    public async Task Finish_DecisionThatCannotBeUnderstood_SaysSo(string old, string replacement)
    {
        await UndoneAsync(json => json.Replace(old, replacement, StringComparison.Ordinal));
        await StoreAssertions.FailsAsync(FailureReason.Internal, () => _fixture.Publisher().FinishAsync(PublishingFixture.TaskId, PublishingFixture.Home, Token));
    }

    [Fact]
    public async Task PublishFailure_Undecided_PublishesLogAndRecordOnly()
    {
        var failure = await PublishFailureAsync("failed");
        Assert.Equal($"first:.sisyphus/{PublishingFixture.TaskId}/failed/record.json", failure.Record!.ToString());
        Assert.False(failure.IsDecided);
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
    public async Task PublishFailure_Decided_ChangesNothingAndSaysSo()
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        var failure = await PublishFailureAsync("failed");
        Assert.Equal((true, null), (failure.IsDecided, failure.Record));
        Assert.Equal("one", await _fixture.PublishedAttemptAsync());
        Assert.Empty(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Sweep_YoungStaging_IsLeftAlone()
    {
        await _fixture.First.PutAsync("first", $".sisyphus/{PublishingFixture.TaskId}/dead/outputs/000000", "x");
        Assert.Equal(0, await PublishingFixture.SweepAsync(_fixture.Publisher(), PublishingFixture.Home, TimeSpan.FromHours(1)));
        Assert.Single(await _fixture.StagedAsync());
    }

    [Fact]
    public async Task Sweep_OldStagingBesideRecordAndFinals_RemovesOnlyStaging()
    {
        await PublishFailureAsync("failed");
        await _fixture.First.PutAsync("first", $".sisyphus/{PublishingFixture.TaskId}/dead/outputs/000000", "x");
        Assert.Equal(1, await PublishingFixture.SweepAsync(_fixture.Publisher(), PublishingFixture.Home));
        Assert.Equal([$".sisyphus/{PublishingFixture.TaskId}/failed/record.json", "out/a"], await _fixture.First.KeysAsync("first"));
    }

    [Fact]
    public async Task Sweep_MissingBucket_IsNothing() =>
        Assert.Equal(0, await PublishingFixture.SweepAsync(_fixture.Publisher(), new RemotePath(null, "missing", "")));

    [Theory, InlineData(""), InlineData("a/b"), InlineData("published.json"), InlineData("ä")]
    public async Task Publish_AttemptIdThatIsNone_IsRefused(string attempt) =>
        await Assert.ThrowsAsync<ArgumentException>(() => _fixture.Publisher().PublishAsync(_fixture.Request("one", []) with { TaskId = "t", AttemptId = attempt }, null, Token));

    private Task<FailurePublication> PublishFailureAsync(string attempt) =>
        _fixture.Publisher().PublishFailureAsync(PublishingFixture.TaskId, attempt, PublishingFixture.Home, [_fixture.Outputs(attempt)[0]], _ => JsonSerializer.SerializeToElement("failed"), Token);

    // Published, its staging gone, but not marked done: as a crash right before the mark leaves it when somebody also swept.
    private async Task UndoneAsync(Func<string, string>? edit = null)
    {
        await _fixture.PublishAsync(_fixture.Publisher(), "one");
        await _fixture.EditDecisionAsync(json => (edit ?? (same => same))(json.Replace("\"done\":true", "\"done\":false", StringComparison.Ordinal)));
    }

    private sealed class Callback(Action<TransferProgress> report) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => report(value);
    }
}
