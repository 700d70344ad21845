using System.Globalization;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Execution;

public sealed class TaskLimitTests(EngineFixture engine, ShellImageFixture shell) : TaskTest(engine, shell)
{
    [Fact]
    public async Task Run_OverTheMemoryLimit_IsOutOfMemoryAlsoInALaterCommand()
    {
        const string Eat = """["sh", "-c", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}"]""";
        foreach (var commands in new[] { $"[{{\"command\": {Eat}}}]", $"[{{\"command\": [\"true\"]}}, {{\"command\": {Eat}}}]" })
        {
            var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "resources": {"memory": "32MiB"}, "commands": {{commands}}}""");
            Assert.Equal((TaskState.ExecutorError, FailureReason.OutOfMemory), (result.State, result.Reason));
            Assert.Contains("32MiB", result.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Run_KilledBySomethingElse_IsNotOutOfMemory()
    {
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "resources": {"memory": "64MiB"}, "command": ["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]}""");
        Assert.Equal(FailureReason.ExecutorExit, result.Reason);
        Assert.Equal([137], result.ExitCodes);
    }

    [Theory]
    [InlineData("""[{"command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]}]""")]
    [InlineData("""[{"command": ["true"]}, {"command": ["sleep", "1000"]}]""")]
    public async Task Run_OverTheTimeLimit_IsStoppedAndSaysSo(string commands)
    {
        var result = await Harness.RunAsync($$"""{"image": "{{Image}}", "timeout": 2, "outputs": {"b:log": ">>"}, "commands": {{commands}}}""");
        Assert.Equal((TaskState.ExecutorError, FailureReason.Timeout), (result.State, result.Reason));
        Assert.InRange(result.Duration.TotalSeconds, 2, 30);
        Assert.Contains("time limit", Harness.Get("b", "log"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ManyTasks_UsesEverySlotAndOneNetworkEach()
    {
        var documents = Enumerable.Range(0, 6).Select(index => $$"""{"image": "{{Image}}", "outputs": {"b:{{index}}": ">"}, "command": ["readlink", "/proc/self/ns/net"]}""");
        var (results, _) = await Harness.RunAllAsync(documents, options => options.Concurrency = 2);
        Assert.All(results, AssertComplete);
        Assert.Equal(6, results.Count);
        var namespaces = Enumerable.Range(0, 6).Select(index => Harness.Get("b", index.ToString(CultureInfo.InvariantCulture))).Distinct().Count();
        Assert.InRange(namespaces, 1, 2);
    }

    [Fact]
    public async Task Run_OwnNetworkAndNone_AreApart()
    {
        string[] networks = ["bridge", "own", "own", "none"];
        var documents = networks.Select((network, index) => $$"""{"image": "{{Image}}", "network": "{{network}}", "outputs": {"b:{{index}}": ">"}, "command": ["sh", "-c", "readlink /proc/self/ns/net; ls /sys/class/net; sleep 4"]}""");
        // At the same time, because the kernel gives a namespace's number to another once it is gone.
        var (results, _) = await Harness.RunAllAsync(documents, options => options.Concurrency = networks.Length);
        Assert.All(results, AssertComplete);
        Assert.Equal(4, Enumerable.Range(0, 4).Select(index => Harness.Get("b", $"{index}").Split('\n')[0]).Distinct().Count());
        Assert.DoesNotContain("eth0", Harness.Get("b", "3"), StringComparison.Ordinal);
        Assert.Contains("eth0", Harness.Get("b", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OverTheDiskLimit_IsStoppedAndNotTriedAgain()
    {
        var result = await Harness.RunAsync($$"""
            {"image": "{{Image}}", "timeout": 60, "resources": {"disk": "20MiB"}, "outputs": {"b:log": ">>"},
             "command": ["sh", "-c", "i=0; while :; do i=$((i+1)); dd if=/dev/zero of=/tmp/$i bs=1048576 count=4 2>/dev/null; sleep 1; done"]}
            """);
        Assert.Equal((FailureReason.DiskFull, 1), (result.Reason, result.Attempts));
        Assert.Contains("20MiB", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WorkDirectoryFull_FailsAsDiskFullAndLeavesNothing()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounting a small file system takes root.");
        Harness.Put("in", "big", new byte[6 << 20]);
        Directory.CreateDirectory(Harness.WorkDirectory);
        await ShellAsync($"mount -t tmpfs -o size=4m tmpfs '{Harness.WorkDirectory}'");
        try
        {
            foreach (var json in new[]
            {
                $$"""{"image": "{{Image}}", "retries": 1, "inputs": {"in:big": "/in"}, "outputs": {"b:out": ">"}, "command": ["wc", "-c", "/in"]}""",
                $$"""{"image": "{{Image}}", "retries": 1, "outputs": {"b:out": "/o"}, "command": ["head", "-c", "6000000", "/dev/zero"], "stdout": "/o"}""",
                $$"""{"image": "{{Image}}", "retries": 1, "outputs": {"b:out": "/o"}, "command": ["sh", "-c", "head -c 6000000 /dev/zero > /o"]}""",
            })
            {
                var result = await Harness.RunAsync(json);
                Assert.Equal((TaskState.SystemError, FailureReason.DiskFull), (result.State, result.Reason));
                Assert.Equal(2, result.Attempts);
                Assert.Empty(Harness.Keys("b"));
                Assert.Empty(Harness.Runs());
            }

            AssertComplete(await Harness.RunAsync($$"""{"image": "{{Image}}", "outputs": {"b:out": ">"}, "command": ["echo", "room again"]}"""));
        }
        finally
        {
            await ShellAsync($"umount '{Harness.WorkDirectory}'");
        }
    }

    [Fact]
    public async Task Run_StoreFullForAMoment_PublishesLaterWithoutRunningAgain()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Mounting a small file system takes root.");
        await ShellAsync($"mount -t tmpfs -o size=4m tmpfs '{Harness.StoreRoot}'");
        try
        {
            await using var runner = Harness.CreateRunner();
            Assert.True(runner.TrySubmit(TaskHarness.Read($$"""{"image": "{{Image}}", "outputs": {"b:big": ">"}, "command": ["head", "-c", "6000000", "/dev/zero"]}""")[0]));
            var (commands, warnings) = (0, 0);
            while (await runner.Events.ReadAsync(TestContext.Current.CancellationToken) is var happened)
            {
                commands += happened is CommandStarted ? 1 : 0;
                if (happened is TaskWarned && warnings++ == 0)
                    await ShellAsync($"mount -o remount,size=64m '{Harness.StoreRoot}'");
                if (happened is not TaskFinished finished)
                    continue;
                AssertComplete(finished.Result);
                break;
            }

            Assert.Equal((1, 1), (commands, warnings));
            Assert.Equal(6_000_000, new FileInfo(Harness.PathOf("b", "big")).Length);
        }
        finally
        {
            await ShellAsync($"umount '{Harness.StoreRoot}'");
        }
    }

    private static async Task ShellAsync(string command)
    {
        using var process = System.Diagnostics.Process.Start("sh", ["-c", command]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}
