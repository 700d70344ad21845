using System.Globalization;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

public sealed class TaskRunnerTests(EngineFixture engine, ShellImageFixture shell) : IClassFixture<ShellImageFixture>, IAsyncLifetime
{
    private readonly TaskHarness _harness = new(engine.Engine);

    private string Image => shell.Reference;

    [Fact]
    public async Task Run_RedirectedCommand_PublishesTheFileAndItsRecord()
    {
        _harness.Put("sisyphus", "data/clear", "hello\n");
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}",
             "inputs":  {"sisyphus:data/clear": "/mnt/clear"},
             "outputs": {"sisyphus:data/crypt": "/mnt/crypt"},
             "commands": [{"command": ["md5sum", "/mnt/clear"], "stdout": "/mnt/crypt"}]}
            """);

        AssertComplete(result);
        Assert.Equal("b1946ac92492d2347c6235b4d2611184  /mnt/clear\n", _harness.Get("sisyphus", "data/crypt"));
        var output = Assert.Single(result.Outputs);
        Assert.Equal("sisyphus:data/crypt", output.RemotePath);
        Assert.Equal(45, output.Size);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(_harness.PathOf("sisyphus", "data/crypt")))), output.Sha256);
        Assert.Equal($"sisyphus:.sisyphus/{result.Id}/published.json", result.Record);
        Assert.Contains("\"done\":true", _harness.Get("sisyphus", $".sisyphus/{result.Id}/published.json").Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal([0], result.ExitCodes);
        Assert.NotNull(result.ImageDigest);
    }

    [Fact]
    public async Task Run_SeveralCommands_ShareOneFileSystemAndRedirectsNoOutputCovers()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"b:all": ">", "b:c": "/work/c"},
             "commands": [
               {"command": ["sh", "-c", "echo from one; echo shared > /tmp/shared"], "stdout": "/scratch/deep/one"},
               {"command": ["cat", "/scratch/deep/one", "/tmp/shared"]},
               {"command": ["sh", "-c", "cat; echo changed >> /scratch/deep/one"], "stdin": "/scratch/deep/one"},
               {"command": ["cat"], "stdin": "/scratch/deep/one", "stdout": "/work/c"}]}
            """);

        AssertComplete(result);
        Assert.Equal("from one\nchanged\n", _harness.Get("b", "c"));
        Assert.Equal("from one\nfrom one\nshared\nfrom one\nfrom one\nchanged\n", _harness.Get("b", "all"));
        Assert.Equal([0, 0, 0, 0], result.ExitCodes);
    }

    [Fact]
    public async Task Run_BothStreamsToOnePath_KeepsBoth()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"b:both": "/both"},
             "command": ["sh", "-c", "echo out; echo err >&2"], "stdout": "/both", "stderr": "/both"}
            """);
        AssertComplete(result);
        Assert.Equal(["err", "out"], _harness.Get("b", "both").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task Run_FailingCommand_StopsThereAndPublishesOnlyLogAndRecord()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"b:log": ">>", "b:out": "/out"}, "env": {"TOKEN": "s3cr3t"},
             "commands": [
               {"command": ["sh", "-c", "echo partial > /out; echo oh no >&2; exit 3"]},
               {"command": ["echo", "never"]}]}
            """);

        Assert.Equal((TaskState.ExecutorError, FailureReason.ExecutorExit), (result.State, result.Reason));
        Assert.Contains("code 3", result.Message, StringComparison.Ordinal);
        Assert.Contains("oh no", result.Message, StringComparison.Ordinal);
        Assert.Equal([3], result.ExitCodes);
        Assert.Equal("oh no", result.StandardError);
        Assert.Equal(["log"], _harness.Keys("b"));
        Assert.Contains("stderr oh no", _harness.Get("b", "log"), StringComparison.Ordinal);
        var record = _harness.Get(result.Record!.Split(':')[0], result.Record.Split(':')[1]);
        Assert.Contains("\"executor_exit\"", record, StringComparison.Ordinal);
        Assert.Contains("TOKEN", record, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", record, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", _harness.Get("b", "log"), StringComparison.Ordinal);
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Run_ErrorIgnored_GoesOn()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "commands": [{"command": ["false"], "ignoreError": true}, {"command": ["echo", "still here"]}]}
            """);
        AssertComplete(result);
        Assert.Equal([1, 0], result.ExitCodes);
        Assert.Equal("still here", result.StandardOutput);
        Assert.Null(result.Record);
    }

    [Fact]
    public async Task Run_Directories_StageAndPublishWholeTrees()
    {
        _harness.Put("in", "tree/a", "A");
        _harness.Put("in", "tree/deep/er/ä b%", "B");
        _harness.Put("in", "treeish", "not below the prefix");
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "inputs": {"in:tree/": "/in"}, "outputs": {"out:copy/": "/out"},
             "command": ["sh", "-c", "cp -r /in/. /out && mkdir -p /out/new/empty && ln /out/a /out/same && chmod 600 /out/a"]}
            """);
        AssertComplete(result);
        Assert.Equal(["copy/a", "copy/deep/er/ä b%", "copy/same"], _harness.Keys("out"));
        Assert.Equal("B", _harness.Get("out", "copy/deep/er/ä b%"));
        Assert.Equal("A", _harness.Get("out", "copy/same"));
    }

    [Fact]
    public async Task Run_Pattern_PublishesWhatMatches()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"out:csv/": "/out/*/part-[0-9].csv"},
             "command": ["sh", "-c", "mkdir -p /out/x /out/y; for f in x/part-1.csv y/part-2.csv x/part-a.csv x/.part-3.csv part-4.csv; do echo $f > /out/$f; done"]}
            """);
        AssertComplete(result);
        Assert.Equal(["csv/x/part-1.csv", "csv/y/part-2.csv"], _harness.Keys("out"));
    }

    [Fact]
    public async Task Run_OptionalOutputAbsent_Completes()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "command": ["true"],
             "outputs": {"out:a": {"path": "/out/a", "optional": true}, "out:d/": {"path": "/out/d/", "optional": true}, "out:p/": {"path": "/q/*.x", "optional": true} } }
            """);
        AssertComplete(result);
        Assert.Empty(result.Outputs);
        Assert.Empty(_harness.Keys("out"));
    }

    [Fact]
    public async Task Run_ReadOnlyInput_CannotBeChanged()
    {
        _harness.Put("in", "a", "original");
        var result = await _harness.RunAsync($$"""{"image": "{{Image}}", "inputs": {"in:a": "/in/a"}, "command": ["sh", "-c", "echo x > /in/a"]}""");
        Assert.Equal(FailureReason.ExecutorExit, result.Reason);
        Assert.Equal("original", _harness.Get("in", "a"));
    }

    [Fact]
    public async Task Run_WritableInputs_AreCopiesTheTaskMayChange()
    {
        _harness.Put("in", "a", "original\n");
        _harness.Put("in", "d/x/y", "deep\n");
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}",
             "inputs": {"in:a": {"path": "/in/a", "writable": true}, "in:d/": {"path": "/data/d/", "writable": true} },
             "outputs": {"out:all": ">"},
             "command": ["sh", "-c", "echo more >> /in/a; echo new > /data/d/x/z; cat /in/a /data/d/x/y /data/d/x/z"]}
            """);
        AssertComplete(result);
        Assert.Equal("original\nmore\ndeep\nnew\n", _harness.Get("out", "all"));
        Assert.Equal("original\n", _harness.Get("in", "a"));
        Assert.Equal(["a", "d/x/y"], _harness.Keys("in"));
    }

    [Fact]
    public async Task Run_OutputReplacedByRename_PublishesTheNewFile()
    {
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"out:f": "/data/f"},
             "command": ["sh", "-c", "echo old > /data/f; echo new > /data/f.tmp; mv /data/f.tmp /data/f"]}
            """);
        AssertComplete(result);
        Assert.Equal("new\n", _harness.Get("out", "f"));
    }

    [Theory]
    [InlineData("/out/f", "out:f", "true", FailureReason.OutputMissing, "was not written")]
    [InlineData("/out/", "out:d/", "true", FailureReason.OutputMissing, "is empty")]
    [InlineData("/out/", "out:d/", "rmdir /out", FailureReason.OutputMissing, "was not written")]
    [InlineData("/out/*.csv", "out:d/", "echo > /out/x.txt", FailureReason.OutputMissing, "no regular file matches")]
    [InlineData("/out/f", "out:f", "ln -s /etc/passwd /out/f", FailureReason.OutputUnsafe, "symbolic link")]
    [InlineData("/out/f", "out:f", "mkdir /out/f", FailureReason.OutputUnsafe, "a directory")]
    [InlineData("/out/", "out:d/", "echo ok > /out/ok; ln -s /etc/passwd /out/link", FailureReason.OutputUnsafe, "symbolic link")]
    [InlineData("/out/", "out:d/", "mkfifo /out/pipe", FailureReason.OutputUnsafe, "FIFO")]
    [InlineData("/out/", "out:d/", "rmdir /out; ln -s /etc /out", FailureReason.OutputUnsafe, "symbolic link")]
    [InlineData("/out/", "out:d/", "echo > \\\"/out/$(printf '\\\\377')\\\"", FailureReason.OutputUnsafe, "not UTF-8")]
    public async Task Run_BadOutput_FailsAndPublishesNothing(string path, string remote, string script, FailureReason reason, string message)
    {
        var result = await _harness.RunAsync($$"""{"image": "{{Image}}", "outputs": {"{{remote}}": "{{path}}" }, "command": ["sh", "-c", "{{script}}"]}""");
        Assert.Equal(reason, result.Reason);
        Assert.Equal(TaskState.ExecutorError, result.State);
        Assert.Contains(message, result.Message, StringComparison.Ordinal);
        Assert.Empty(_harness.Keys("out"));
    }

    [Theory]
    [InlineData("""{"image": "IMAGE", "inputs": {"in:absent": "/in"}, "command": ["true"]}""", FailureReason.InputMissing, "in:absent")]
    [InlineData("""{"image": "IMAGE", "inputs": {"nowhere:x": "/in"}, "command": ["true"]}""", FailureReason.InputMissing, "bucket")]
    [InlineData("""{"image": "IMAGE", "inputs": {"in:empty/": "/in/"}, "command": ["true"]}""", FailureReason.InputMissing, "in:empty/")]
    [InlineData("""{"image": "IMAGE", "command": ["no-such-program"]}""", FailureReason.ExecutorExit, "no-such-program")]
    [InlineData("""{"image": "IMAGE", "commands": [{"command": ["true"]}, {"command": ["no-such-program"]}]}""", FailureReason.ExecutorExit, "no-such-program")]
    [InlineData("""{"image": "IMAGE", "command": ["/etc/passwd"]}""", FailureReason.ExecutorExit, "/etc/passwd")]
    [InlineData("""{"image": "IMAGE", "user": "nobody-knows", "command": ["true"]}""", FailureReason.ExecutorExit, "nobody-knows")]
    [InlineData("""{"image": "IMAGE", "command": ["cat"], "stdin": "/no/such/file"}""", FailureReason.InputMissing, "/no/such/file")]
    public async Task Run_BadReference_FailsWithTheReasonAndTheName(string json, FailureReason reason, string named)
    {
        _harness.Put("in", "something", "x");
        var result = await _harness.RunAsync(json.Replace("IMAGE", Image, StringComparison.Ordinal), options => options.Policy = new NodePolicy { AllowUser = true });
        Assert.Equal(reason, result.Reason);
        Assert.Contains(named, result.Message, StringComparison.Ordinal);
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Run_ImageUnknown_FailsAtOnce()
    {
        var result = await _harness.RunAsync("""{"image": "localhost/no-such-image:ever", "command": ["true"]}""", options => options.PullPolicy = Engine.Containers.PullPolicy.Never);
        Assert.Equal(FailureReason.ImageNotFound, result.Reason);
    }

    [Fact]
    public async Task Run_UserChosenWithoutPolicy_IsDenied()
    {
        var result = await _harness.RunAsync($$"""{"image": "{{Image}}", "user": "54321", "command": ["true"]}""");
        Assert.Equal(FailureReason.PolicyDenied, result.Reason);
    }

    [Fact]
    public async Task Run_AsAnotherUser_WritesWhereTheDocumentSaysAndTheFilesAreOurs()
    {
        _harness.Put("in", "w", "w\n");
        var result = await _harness.RunAsync($$"""
            {"image": "{{Image}}", "user": "54321:54321",
             "inputs": {"in:w": {"path": "/w/w", "writable": true} },
             "outputs": {"out:f": "/mnt/f", "out:d/": "/made/here/"},
             "command": ["sh", "-c", "echo more >> /w/w; cat /w/w > /mnt/f; id -u > /made/here/id"]}
            """, options => options.Policy = new NodePolicy { AllowUser = true });
        AssertComplete(result);
        Assert.Equal("w\nmore\n", _harness.Get("out", "f"));
        Assert.Equal("54321\n", _harness.Get("out", "d/id"));
        Assert.Equal(NodeUserId, await StatAsync("%u", _harness.PathOf("out", "d/id")));
    }

    [Fact]
    public async Task Run_OverTheMemoryLimit_IsOutOfMemoryAlsoInALaterCommand()
    {
        const string Eat = """["sh", "-c", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"]""";
        foreach (var commands in new[] { $"[{{\"command\": {Eat}}}]", $"[{{\"command\": [\"true\"]}}, {{\"command\": {Eat}}}]" })
        {
            var result = await _harness.RunAsync($$"""{"image": "{{Image}}", "resources": {"memory": "32MiB"}, "commands": {{commands}}}""");
            Assert.Equal((TaskState.ExecutorError, FailureReason.OutOfMemory), (result.State, result.Reason));
            Assert.Contains("32MiB", result.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Run_KilledBySomethingElse_IsNotOutOfMemory()
    {
        var result = await _harness.RunAsync($$"""{"image": "{{Image}}", "resources": {"memory": "64MiB"}, "command": ["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]}""");
        Assert.Equal(FailureReason.ExecutorExit, result.Reason);
        Assert.Equal([137], result.ExitCodes);
    }

    [Theory]
    [InlineData("""[{"command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]}]""")]
    [InlineData("""[{"command": ["true"]}, {"command": ["sleep", "1000"]}]""")]
    public async Task Run_OverTheTimeLimit_IsStoppedAndSaysSo(string commands)
    {
        var result = await _harness.RunAsync($$"""{"image": "{{Image}}", "timeout": 2, "outputs": {"b:log": ">>"}, "commands": {{commands}}}""");
        Assert.Equal((TaskState.ExecutorError, FailureReason.Timeout), (result.State, result.Reason));
        Assert.InRange(result.Duration.TotalSeconds, 2, 30);
        Assert.Contains("time limit", _harness.Get("b", "log"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ExitCodeToRetry_IsTriedAgainUntilRetriesAreSpent()
    {
        var (results, events) = await _harness.RunAllAsync([$$"""{"image": "{{Image}}", "retries": 1, "retryExitCodes": [75], "command": ["sh", "-c", "exit 75"]}"""]);
        Assert.Equal(2, Assert.Single(results).Attempts);
        Assert.Collection(events.OfType<AttemptFailed>(),
            first => Assert.InRange(first.RetryAfter!.Value.TotalSeconds, 0.8, 1.2),
            second => Assert.Null(second.RetryAfter));
    }

    [Fact]
    public async Task Run_PublishedBefore_RunsNothing()
    {
        var json = $$"""{"id": "once", "image": "{{Image}}", "outputs": {"b:t": ">"}, "command": ["sh", "-c", "cat /proc/sys/kernel/random/uuid"]}""";
        var first = await _harness.RunAsync(json);
        var written = _harness.Get("b", "t");
        var second = await _harness.RunAsync(json);
        AssertComplete(first);
        AssertComplete(second);
        Assert.Equal((1, 0), (first.Attempts, second.Attempts));
        Assert.Equal(written, _harness.Get("b", "t"));
        Assert.Equal(first.Outputs, second.Outputs);
    }

    [Fact]
    public async Task Run_ManyTasks_UsesEverySlotAndOneNetworkEach()
    {
        var documents = Enumerable.Range(0, 6).Select(index => $$"""{"image": "{{Image}}", "outputs": {"b:{{index}}": ">"}, "command": ["readlink", "/proc/self/ns/net"]}""");
        var (results, _) = await _harness.RunAllAsync(documents, options => options.Concurrency = 2);
        Assert.All(results, AssertComplete);
        Assert.Equal(6, results.Count);
        var namespaces = Enumerable.Range(0, 6).Select(index => _harness.Get("b", index.ToString(CultureInfo.InvariantCulture))).Distinct().Count();
        Assert.InRange(namespaces, 1, 2);
    }

    [Fact]
    public async Task Run_OwnNetworkAndNone_AreApart()
    {
        string[] networks = ["bridge", "own", "own", "none"];
        var documents = networks.Select((network, index) => $$"""{"image": "{{Image}}", "network": "{{network}}", "outputs": {"b:{{index}}": ">"}, "command": ["sh", "-c", "readlink /proc/self/ns/net; ls /sys/class/net; sleep 4"]}""");
        // At the same time, because the kernel gives a namespace's number to another once it is gone.
        var (results, _) = await _harness.RunAllAsync(documents, options => options.Concurrency = networks.Length);
        Assert.All(results, AssertComplete);
        Assert.Equal(4, Enumerable.Range(0, 4).Select(index => _harness.Get("b", $"{index}").Split('\n')[0]).Distinct().Count());
        Assert.DoesNotContain("eth0", _harness.Get("b", "3"), StringComparison.Ordinal);
        Assert.Contains("eth0", _harness.Get("b", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_WhileTasksRun_StopsThemAndLeavesNothing()
    {
        var runner = _harness.CreateRunner(options => options.Concurrency = 2);
        foreach (var document in TaskHarness.Read($$"""[{"image": "{{Image}}", "command": ["sleep", "1000"]}, {"image": "{{Image}}", "commands": [{"command": ["sleep", "1000"]}, {"command": ["true"]}]}]"""))
            Assert.True(runner.TrySubmit(document));
        for (var running = 0; running < 2;)
            running += await runner.Events.ReadAsync(TestContext.Current.CancellationToken) is CommandStarted ? 1 : 0;

        await runner.DisposeAsync();
        Assert.Empty(_harness.Runs());
        Assert.Equal(0, await _harness.CountContainersAsync());
    }

    [Fact]
    public async Task Run_AfterAProcessWasKilled_SweepsItsContainersAndWorkspace()
    {
        var abandoned = Path.Combine(_harness.WorkDirectory, "runs", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path.Combine(abandoned, "attempt"));
        var image = (await engine.Engine.FindImageAsync(Image, TestContext.Current.CancellationToken))!;
        var left = await engine.Engine.CreateContainerAsync(new Engine.Containers.ContainerSpec
        {
            ImageId = image.Id,
            Command = new TaskCommand(["sleep", "1000"]),
            Labels = new Dictionary<string, string> { ["sisyphus.run"] = Path.GetFileName(abandoned) },
        }, TestContext.Current.CancellationToken);

        AssertComplete(await _harness.RunAsync($$"""{"image": "{{Image}}", "command": ["true"]}"""));
        Assert.False(Directory.Exists(abandoned));
        Assert.Equal(0, await engine.Engine.SweepAsync(new Dictionary<string, string> { ["sisyphus.run"] = Path.GetFileName(abandoned) }, TestContext.Current.CancellationToken));
        await left.DisposeAsync();
    }

    [Fact]
    public async Task Plan_AnyDocument_SaysWhatWouldHappenAndDoesNothing()
    {
        _harness.Put("in", "a", "12345");
        await using var runner = _harness.CreateRunner();
        var plan = await runner.PlanAsync(TaskHarness.Read($$"""
            {"image": "{{Image}}", "inputs": {"in:a": "/in/a", "in:none": "/in/none"}, "outputs": {"out:f": "/f"}, "command": ["true"], "resources": {"memory": "64MiB"} }
            """)[0], TestContext.Current.CancellationToken);
        Assert.Contains(plan.Steps, step => step.Action == "pull" && step.Detail.Contains("present", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "stage" && step.Detail.Contains("in:a", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "stage" && step.Detail.Contains("missing", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "mount" && step.Detail.Contains("/in/a, read-only", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "limit" && step.Detail == "memory 64MiB");
        Assert.False(Directory.Exists(_harness.PathOf("out", "")));
        Assert.Equal(0, await _harness.CountContainersAsync());
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        // I4: whatever a test did, nothing outlives it.
        Assert.Equal(0, await _harness.CountContainersAsync());
        Assert.Empty(_harness.Runs());
        await _harness.DisposeAsync();
    }

    private static void AssertComplete(TaskResult result)
    {
        Assert.Equal((TaskState.Complete, "", null), (result.State, result.Attempts == 0 ? "" : result.Message, result.Reason));
    }

    private static string NodeUserId => NodeUser.Current!.Split(':')[0];

    private static async Task<string> StatAsync(string format, string path)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat", ["-c", format, path]) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text.Trim();
    }
}
