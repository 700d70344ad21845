using System.Text;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

/// <summary>Whole tasks over a store that is a service.</summary>
public sealed class TaskStoreTests(EngineFixture engine, ShellImageFixture shell) : TaskTest(engine, shell)
{
    private GoogleEmulator _google = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        _google = await GoogleEmulator.StartAsync();
        _google.CreateBucket("lab-in");
        _google.CreateBucket("lab-out");
        Harness.Mapping["in"] = $"gs://lab-in?endpoint={_google.Address}";
        Harness.Mapping["out"] = $"gs://lab-out/project/?endpoint={_google.Address}";
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _google.DisposeAsync();
    }

    [Fact]
    public async Task Run_InputsAndOutputsInAService_AreThoseOfTheTask()
    {
        await PutAsync("in", "data/a", "one\n");
        await PutAsync("in", "data/b/c", "two\n");
        await PutAsync("in", "data/empty/", "");
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "inputs": {"in:data/": "/in/"}, "outputs": {"out:all": ">", "out:tree/": "/out/"},
             "command": ["sh", "-c", "cat /in/a /in/b/c; mkdir -p /out/d; echo x > /out/d/e"]}
            """);
        AssertComplete(result);
        Assert.Equal(("one\ntwo\n", "x\n"), (await GetAsync("out", "all"), await GetAsync("out", "tree/d/e")));
        Assert.Equal([$".sisyphus/{result.Id}/published.json", "all", "tree/d/e"], await KeysAsync("out"));
        Assert.Equal($"out:.sisyphus/{result.Id}/published.json", result.Record);
    }

    [Theory, InlineData("gs://lab-nowhere", "no bucket"), InlineData("gs://lab-out/acme\n", "line break")]
    public async Task Run_AnOutputThatCanNotBePublished_EndsBeforeAnythingRuns(string where, string says)
    {
        Harness.Mapping["bad"] = $"{where}?endpoint={_google.Address}";
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "inputs": {}, "outputs": {"out:a": ">", "bad:tree/": "/tree/", "bad:b": "/b"}, "command": ["sh", "-c", "echo ran; echo b > /b"]}
            """);
        Assert.Equal(TaskState.SystemError, result.State);
        Assert.Contains("The output bad:", result.Message, StringComparison.Ordinal);
        Assert.Contains(says, result.Message, StringComparison.Ordinal);
        Assert.Empty(result.Commands);
    }

    [Fact]
    public async Task Run_FromAServiceIntoAFolderAndBack_HasOneDecision()
    {
        await PutAsync("in", "a", "one\n");
        Harness.Put("plain", "b", "two\n");
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "inputs": {"in:a": "/a", "plain:b": "/b"}, "outputs": {"plain:both": "/both", "out:copy": "/copy"},
             "command": ["sh", "-c", "cat /a /b | tee /both > /copy"]}
            """);
        AssertComplete(result);
        Assert.Equal(("one\ntwo\n", "one\ntwo\n"), (Harness.Get("plain", "both"), await GetAsync("out", "copy")));
        Assert.True(Harness.Exists("plain", $".sisyphus/{result.Id}/published.json"));
        Assert.Equal(["copy"], await KeysAsync("out"));
    }

    [Theory, InlineData("staged", 20), InlineData("direct", 120)]
    public async Task Run_StoreIsDownWhenTheTaskHasEnded_PublishesLaterAndRunsOnce(string publish, int times)
    {
        Harness.Mapping["out"] = $"gs://lab-out?endpoint={_google.Address}";
        // A little more than all tries of one publication together; a direct one repeats each output besides.
        _google.Inject(new Fault("put", FaultKind.Unavailable, times));
        var (results, events) = await Harness.RunAllAsync([$$"""
            {"image": "{{Image}}", "publish": "{{publish}}", "inputs": {}, "outputs": {"out:a": ">"}, "command": ["sh", "-c", "echo $RANDOM$RANDOM; echo ran >&2"]}
            """]);
        AssertComplete(results[0]);
        Assert.Equal(1, results[0].Attempts);
        Assert.Contains(events.OfType<TaskWarned>(), warning => warning.Message.Contains("are kept", StringComparison.Ordinal));
        Assert.Single(events.OfType<OutputLineReceived>(), line => line.Line == "ran");
        Assert.Equal(results[0].StandardOutput.Trim(), (await GetAsync("out", "a"))!.Trim());
    }

    [Fact]
    public async Task Run_StoreStaysDown_FailsInTheEndAndShowsNothing()
    {
        _google.Inject(new Fault("put", FaultKind.Unavailable, times: 1000));
        var result = await Harness.RunAsync(
            $$"""{"image": "{{Image}}", "retries": 0, "outputs": {"out:a": ">"}, "command": ["echo", "x"]}""",
            options => options.PublishPatience = TimeSpan.FromSeconds(1));
        Assert.Equal(FailureReason.TransferFailed, result.Reason);
        Assert.Contains("503", result.Message, StringComparison.Ordinal);
        Assert.Contains("lab-out:project/", result.Message, StringComparison.Ordinal);
        Assert.Empty(await KeysAsync("out"));
    }

    [Fact]
    public async Task Run_CanceledBetweenTwoTriesToPublish_LeavesNothingStaged()
    {
        _google.Inject(new Fault("put", FaultKind.Unavailable, times: 1000, skip: 1));
        await using (var runner = Harness.CreateRunner())
        {
            Assert.True(runner.TrySubmit(TaskHarness.Read($$"""{"image": "{{Image}}", "outputs": {"out:a": ">", "out:b": "/b"}, "command": ["sh", "-c", "echo x | tee /b"]}""")[0]));
            while (await runner.Events.ReadAsync(Token) is not TaskWarned { Message: var message } || !message.Contains("are kept", StringComparison.Ordinal))
            {
            }
            Assert.Single(await KeysAsync("out"));
        }
        Assert.Empty(await KeysAsync("out"));
    }

    [Theory, InlineData("staged", "copy"), InlineData("direct", "put")]
    public async Task Run_CanceledAfterTheDecision_IsCompleteAllTheSame(string publish, string step)
    {
        var held = new Fault(step, FaultKind.Held);
        _google.Inject(held);
        var runner = Harness.CreateRunner();
        Assert.True(runner.TrySubmit(TaskHarness.Read($$"""{"image": "{{Image}}", "publish": "{{publish}}", "outputs": {"out:a": ">", "out:b": "/b"}, "command": ["sh", "-c", "echo x | tee /b"]}""")[0]));
        await held.Struck;
        var stopping = runner.DisposeAsync();
        held.Release();
        await stopping;
        var result = Assert.Single((await runner.Events.ReadAllAsync(Token).ToListAsync(Token)).OfType<TaskFinished>()).Result;
        AssertComplete(result);
        Assert.Equal(("x\n", "x\n"), (await GetAsync("out", "a"), await GetAsync("out", "b")));
        Assert.Contains("\"done\":true", await GetAsync("out", $".sisyphus/{result.Id}/published.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_PatienceEndsAfterTheDecision_IsFinishedByTheNextStart()
    {
        var down = new Fault("copy", FaultKind.Unavailable, times: int.MaxValue) { About = "project/a" };
        _google.Inject(down);
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "retries": 0, "outputs": {"out:a": ">"}, "command": ["echo", "x"]}""", options => options.PublishPatience = TimeSpan.Zero);
        Assert.Equal(FailureReason.TransferFailed, result.Reason);
        Assert.Single(Harness.Runs());
        Assert.Null(await GetAsync("out", "a"));

        down.End();
        AssertComplete(await Harness.RunAsync($$"""{"image": "{{Image}}", "command": ["true"]}"""));
        Assert.Equal("x\n", await GetAsync("out", "a"));
        Assert.Equal([$".sisyphus/{result.Id}/published.json", "a"], await KeysAsync("out"));
    }

    [Fact]
    public async Task Run_FailsWhenAnotherAttemptHasPublished_IsCompleteAndRunsOnce()
    {
        var failing = Harness.RunAllAsync([$$"""{"id": "twice", "image": "{{Image}}", "retries": 3, "outputs": {"out:a": "/a"}, "command": ["sh", "-c", "sleep 5; exit 1"]}"""]);
        AssertComplete(await Harness.RunAsync($$"""{"id": "twice", "image": "{{Image}}", "outputs": {"out:a": "/a"}, "command": ["sh", "-c", "echo x > /a"]}"""));
        var (results, events) = await failing;
        AssertComplete(Assert.Single(results));
        Assert.DoesNotContain(events, happened => happened is AttemptFailed);
        Assert.Equal("x\n", await GetAsync("out", "a"));
    }

    [Fact]
    public async Task Run_KeysThatAreFileAndFolder_AreRefused()
    {
        await PutAsync("in", "data/a", "x");
        await PutAsync("in", "data/a/b", "x");
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "inputs": {"in:data/": "/in/"}, "command": ["true"]}""");
        Assert.Equal(FailureReason.InputDenied, result.Reason);
        Assert.Contains("in:data/a/b", result.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("in:data/../x"), InlineData("in:data//x"), InlineData("in:data/./x")]
    public async Task Run_KeyThatWouldLeaveTheWorkspace_IsRefused(string remote)
    {
        await PutAsync("in", remote["in:".Length..], "x");
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "inputs": {"in:data/": "/in/"}, "command": ["true"]}""");
        Assert.Equal(FailureReason.InputDenied, result.Reason);
        Assert.Contains(remote, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OneBucketOfThreeForbidden_NamesItAndIsNotTriedAgain()
    {
        _google.CreateBucket("lab-secret", forbidden: true);
        Harness.Mapping["secret"] = $"gs://lab-secret?endpoint={_google.Address}";
        await PutAsync("in", "a", "x");
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "inputs": {"in:a": "/a", "secret:b": "/b"}, "outputs": {"out:c": ">"}, "command": ["true"]}""");
        Assert.Equal((FailureReason.InputDenied, 1), (result.Reason, result.Attempts));
        Assert.Contains("lab-secret:b", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ReadingBreaksAgainAndAgain_IsCompleteAllTheSame()
    {
        await PutAsync("in", "a", new string('x', 3_000_000));
        for (var i = 0; i < 3; i++)
            _google.Inject(new Fault("get", FaultKind.ResetInAnswer));
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "inputs": {"in:a": "/a"}, "outputs": {"out:size": ">"}, "command": ["sh", "-c", "wc -c < /a"]}""");
        AssertComplete(result);
        Assert.Equal("3000000", (await GetAsync("out", "size"))!.Trim());
    }

    private async Task PutAsync(string bucket, string key, string content)
    {
        var location = At(bucket, key);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        await location.Store.PutAsync(location.Bucket, key, stream, Token);
    }

    private async Task<string?> GetAsync(string bucket, string key)
    {
        var location = At(bucket, key);
        if (await location.Store.StatAsync(location.Bucket, key, Token) is not { } info)
            return null;
        await using var stream = await location.Store.OpenReadAsync(info, 0, Token);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Token);
    }

    private async Task<List<string>> KeysAsync(string bucket) =>
        await At(bucket, "").Store.ListAsync(bucket, "", Token).Select(info => info.Key).ToListAsync(Token);

    private ObjectLocation At(string bucket, string key) => Harness.OpenStores().Resolve(new RemotePath(null, bucket, key));
}
