using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

public sealed class TaskRunnerTests(EngineFixture engine, ShellImageFixture shell) : TaskTest(engine, shell)
{
    [Fact]
    public async Task Run_RedirectedCommand_PublishesTheFileAndItsRecord()
    {
        Harness.Put("sisyphus", "data/clear", "hello\n");
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}",
             "inputs":  {"sisyphus:data/clear": "/mnt/clear"},
             "outputs": {"sisyphus:data/crypt": "/mnt/crypt"},
             "commands": [{"command": ["md5sum", "/mnt/clear"], "stdout": "/mnt/crypt"}]}
            """);

        AssertComplete(result);
        Assert.Equal("b1946ac92492d2347c6235b4d2611184  /mnt/clear\n", Harness.Get("sisyphus", "data/crypt"));
        var output = Assert.Single(result.Outputs);
        Assert.Equal("sisyphus:data/crypt", output.RemotePath);
        Assert.Equal(45, output.Size);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Harness.PathOf("sisyphus", "data/crypt")))), output.Sha256);
        Assert.Equal($"sisyphus:.sisyphus/{result.Id}/published.json", result.Record);
        Assert.Contains("\"done\":true", Harness.Get("sisyphus", $".sisyphus/{result.Id}/published.json").Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal([0], result.ExitCodes);
        Assert.NotNull(result.ImageDigest);
    }

    [Fact]
    public async Task Run_SeveralCommands_ShareOneFileSystemAndRedirectsNoOutputCovers()
    {
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"b:all": ">", "b:c": "/work/c"},
             "commands": [
               {"command": ["sh", "-c", "echo from one; echo shared > /tmp/shared"], "stdout": "/scratch/deep/one"},
               {"command": ["cat", "/scratch/deep/one", "/tmp/shared"]},
               {"command": ["sh", "-c", "cat; echo changed >> /scratch/deep/one"], "stdin": "/scratch/deep/one"},
               {"command": ["cat"], "stdin": "/scratch/deep/one", "stdout": "/work/c"}]}
            """);

        AssertComplete(result);
        Assert.Equal("from one\nchanged\n", Harness.Get("b", "c"));
        Assert.Equal("from one\nfrom one\nshared\nfrom one\nfrom one\nchanged\n", Harness.Get("b", "all"));
        Assert.Equal([0, 0, 0, 0], result.ExitCodes);
    }

    [Fact]
    public async Task Run_BothStreamsToOnePath_KeepsBoth()
    {
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"b:both": "/both"},
             "command": ["sh", "-c", "echo out; echo err >&2"], "stdout": "/both", "stderr": "/both"}
            """);
        AssertComplete(result);
        Assert.Equal(["err", "out"], Harness.Get("b", "both").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task Run_FailingCommand_StopsThereAndPublishesOnlyLogAndRecord()
    {
        var result = await Harness.RunAsync($$"""
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
        Assert.Equal(["log"], Harness.Keys("b"));
        foreach (var part in new[] { "stderr oh no", "sisyphus image sha256:", "exit code 3 after", "executor_exit" })
            Assert.Contains(part, Harness.Get("b", "log"), StringComparison.Ordinal);
        var record = Harness.Get(result.Record!.Split(':')[0], result.Record.Split(':')[1]);
        Assert.Contains("\"executor_exit\"", record, StringComparison.Ordinal);
        Assert.Contains("TOKEN", record, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", record, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", Harness.Get("b", "log"), StringComparison.Ordinal);
        Assert.Equal(1, result.Attempts);
    }

    [Fact]
    public async Task Run_ErrorIgnored_GoesOn()
    {
        var result = await Harness.RunAsync($$"""
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
        Harness.Put("in", "tree/a", "A");
        Harness.Put("in", "tree/deep/er/ä b%", "B");
        Harness.Put("in", "treeish", "not below the prefix");
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "inputs": {"in:tree/": "/in"}, "outputs": {"out:copy/": "/out"},
             "command": ["sh", "-c", "cp -r /in/. /out && mkdir -p /out/new/empty && ln /out/a /out/same && chmod 600 /out/a"]}
            """);
        AssertComplete(result);
        Assert.Equal(["copy/a", "copy/deep/er/ä b%", "copy/same"], Harness.Keys("out"));
        Assert.Equal("B", Harness.Get("out", "copy/deep/er/ä b%"));
        Assert.Equal("A", Harness.Get("out", "copy/same"));
    }

    [Fact]
    public async Task Run_Pattern_PublishesWhatMatches()
    {
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"out:csv/": "/out/*/part-[0-9].csv"},
             "command": ["sh", "-c", "mkdir -p /out/x /out/y; for f in x/part-1.csv y/part-2.csv x/part-a.csv x/.part-3.csv part-4.csv; do echo $f > /out/$f; done"]}
            """);
        AssertComplete(result);
        Assert.Equal(["csv/x/part-1.csv", "csv/y/part-2.csv"], Harness.Keys("out"));
    }

    [Fact]
    public async Task Run_OptionalOutputAbsent_Completes()
    {
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "command": ["true"],
             "outputs": {"out:a": {"path": "/out/a", "optional": true}, "out:d/": {"path": "/out/d/", "optional": true}, "out:p/": {"path": "/q/*.x", "optional": true} } }
            """);
        AssertComplete(result);
        Assert.Empty(result.Outputs);
        Assert.Empty(Harness.Keys("out"));
    }

    [Fact]
    public async Task Run_ReadOnlyInput_CannotBeChanged()
    {
        Harness.Put("in", "a", "original");
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "inputs": {"in:a": "/in/a"}, "command": ["sh", "-c", "echo x > /in/a"]}""");
        Assert.Equal(FailureReason.ExecutorExit, result.Reason);
        Assert.Equal("original", Harness.Get("in", "a"));
    }

    [Fact]
    public async Task Run_WritableInputs_AreCopiesTheTaskMayChange()
    {
        Harness.Put("in", "a", "original\n");
        Harness.Put("in", "d/x/y", "deep\n");
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}",
             "inputs": {"in:a": {"path": "/in/a", "writable": true}, "in:d/": {"path": "/data/d/", "writable": true} },
             "outputs": {"out:all": ">"},
             "command": ["sh", "-c", "echo more >> /in/a; echo new > /data/d/x/z; cat /in/a /data/d/x/y /data/d/x/z"]}
            """);
        AssertComplete(result);
        Assert.Equal("original\nmore\ndeep\nnew\n", Harness.Get("out", "all"));
        Assert.Equal("original\n", Harness.Get("in", "a"));
        Assert.Equal(["a", "d/x/y"], Harness.Keys("in"));
    }

    [Fact]
    public async Task Run_EngineOnAnotherMachine_CopiesTheInputs()
    {
        await using var harness = new TaskHarness(new EngineElsewhere(Engine));
        harness.Put("in", "a", "file\n");
        harness.Put("in", "d/x/y", "deep\n");
        var result = await harness.RunAsync($$"""
            {"image": "{{Image}}", "inputs": {"in:a": "/in/a", "in:d/": "/data/"}, "outputs": {"out:all": ">"},
             "commands": [{"command": ["cat", "/in/a", "/data/x/y"]}, {"command": ["cat"], "stdin": "/in/a"}]}
            """);
        AssertComplete(result);
        Assert.Equal("file\ndeep\nfile\n", harness.Get("out", "all"));
        Assert.Equal(0, await harness.CountContainersAsync());
    }

    [Fact]
    public async Task Run_OutputReplacedByRename_PublishesTheNewFile()
    {
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "outputs": {"out:f": "/data/f"},
             "command": ["sh", "-c", "echo old > /data/f; echo new > /data/f.tmp; mv /data/f.tmp /data/f"]}
            """);
        AssertComplete(result);
        Assert.Equal("new\n", Harness.Get("out", "f"));
    }

    [Fact]
    public async Task Run_AsAnotherUser_WritesWhereTheDocumentSaysAndTheFilesAreOurs()
    {
        Harness.Put("in", "w", "w\n");
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "user": "54321:54321",
             "inputs": {"in:w": {"path": "/w/w", "writable": true} },
             "outputs": {"out:f": "/mnt/f", "out:d/": "/made/here/"},
             "command": ["sh", "-c", "echo more >> /w/w; cat /w/w > /mnt/f; id -u > /made/here/id"]}
            """, options => options.Policy = new NodePolicy { AllowUser = true });
        AssertComplete(result);
        Assert.Equal("w\nmore\n", Harness.Get("out", "f"));
        Assert.Equal("54321\n", Harness.Get("out", "d/id"));
        Assert.Equal(NodeUserId, await StatAsync("%u", Harness.PathOf("out", "d/id")));
    }

    [Fact]
    public async Task Run_ExitCodeToRetry_IsTriedAgainUntilRetriesAreSpent()
    {
        var (results, events) = await Harness.RunAllAsync([$$"""{"image": "{{Image}}", "retries": 1, "retryExitCodes": [75], "command": ["sh", "-c", "exit 75"]}"""]);
        Assert.Equal(2, Assert.Single(results).Attempts);
        Assert.Collection(events.OfType<AttemptFailed>(),
            first => Assert.InRange(first.RetryAfter!.Value.TotalSeconds, 0.8, 1.2),
            second => Assert.Null(second.RetryAfter));
    }

    [Fact]
    public async Task Run_PublishedBefore_RunsNothing()
    {
        var json = $$"""{"id": "once", "image": "{{Image}}", "outputs": {"b:t": ">"}, "command": ["sh", "-c", "cat /proc/sys/kernel/random/uuid"]}""";
        var first = await Harness.RunAsync(json);
        var written = Harness.Get("b", "t");
        var second = await Harness.RunAsync(json);
        AssertComplete(first);
        AssertComplete(second);
        Assert.Equal((1, 0), (first.Attempts, second.Attempts));
        Assert.Equal(written, Harness.Get("b", "t"));
        Assert.Equal(first.Outputs, second.Outputs);
    }

    [Fact]
    public async Task Dispose_WhileTasksRun_StopsThemAndLeavesNothing()
    {
        var runner = Harness.CreateRunner(options => options.Concurrency = 2);
        foreach (var document in TaskHarness.Read($$"""[{"image": "{{Image}}", "command": ["sleep", "1000"]}, {"image": "{{Image}}", "commands": [{"command": ["sleep", "1000"]}, {"command": ["true"]}]}]"""))
            Assert.True(runner.TrySubmit(document));
        for (var running = 0; running < 2;)
            running += await runner.Events.ReadAsync(TestContext.Current.CancellationToken) is CommandStarted ? 1 : 0;

        await runner.DisposeAsync();
        Assert.Empty(Harness.Runs());
        Assert.Equal(0, await Harness.CountContainersAsync());
    }

    [Fact]
    public async Task Run_AfterAProcessWasKilled_SweepsItsContainersAndWorkspace()
    {
        var abandoned = Path.Combine(Harness.WorkDirectory, "runs", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path.Combine(abandoned, "attempt"));
        new AttemptJournal("dead-task", "attempt", ["b:out"]).Write(Path.Combine(abandoned, "attempt"));
        Harness.Put("b", ".sisyphus/dead-task/attempt/outputs/000000", "staged in vain");
        var image = (await Engine.FindImageAsync(Image, TestContext.Current.CancellationToken))!;
        var left = await Engine.CreateContainerAsync(new ContainerSpec
        {
            ImageId = image.Id,
            Command = new TaskCommand(["sleep", "1000"]),
            Labels = new Dictionary<string, string> { ["sisyphus.run"] = Path.GetFileName(abandoned) },
        }, TestContext.Current.CancellationToken);

        AssertComplete(await Harness.RunAsync($$"""{"image": "{{Image}}", "command": ["true"]}"""));
        Assert.False(Directory.Exists(abandoned));
        Assert.False(Harness.Exists("b", ".sisyphus/dead-task/attempt/outputs/000000"));
        Assert.Equal(0, await Engine.SweepAsync(new Dictionary<string, string> { ["sisyphus.run"] = Path.GetFileName(abandoned) }, TestContext.Current.CancellationToken));
        await left.DisposeAsync();
    }

    [Fact]
    public async Task Plan_AnyDocument_SaysWhatWouldHappenAndDoesNothing()
    {
        Harness.Put("in", "a", "12345");
        var plan = await Harness.PlanAsync($$"""
            {"image": "{{Image}}", "inputs": {"in:a": "/in/a", "in:none": "/in/none"}, "outputs": {"out:f": "/f"}, "command": ["true"], "resources": {"memory": "64MiB"} }
            """);
        Assert.Contains(plan.Steps, step => step.Action == "pull" && step.Detail.Contains("present", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "stage" && step.Detail.Contains("in:a", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "stage" && step.Detail.Contains("missing", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "mount" && step.Detail.Contains("/in/a, read-only", StringComparison.Ordinal));
        Assert.Contains(plan.Steps, step => step.Action == "limit" && step.Detail == "memory 64MiB");
        Assert.False(Directory.Exists(Harness.PathOf("out", "")));
        Assert.False(Directory.Exists(Harness.WorkDirectory));
        Assert.Equal(0, await Harness.CountContainersAsync());
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
