using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>What a container may take, and what it may not do.</summary>
public sealed class LimitTests(EngineFixture fixture) : ContainerTest(fixture)
{
    // Fills a buffer of a quarter of a gigabyte.
    private const string Glutton = "/bin/busybox dd if=/dev/zero of=/dev/null bs=256M count=1";
    private static readonly TaskResources SmallMemory = new() { Memory = 32 << 20 };

    [Theory]
    [InlineData(true, "exec " + Glutton, 137)]
    [InlineData(false, "exec " + Glutton, 137)]
    [InlineData(true, Glutton + "; exit 4", 4)]
    [InlineData(false, Glutton + "; exit 4", 4)]
    public async Task RunAsync_MoreMemoryThanAllowed_IsOutOfMemory(bool main, string script, int code)
    {
        await using var container = await Engine.CreateContainerAsync(Spec(main ? Shell(script) : null) with { Resources = SmallMemory }, Token);
        var finished = await RunAsync(container, Shell(script));
        Assert.Equal(code, finished.Exit.ExitCode);
        Assert.True(finished.Exit.OutOfMemory);
        if (!main)
            Assert.False((await RunAsync(container, Shell("exit 9"))).Exit.OutOfMemory);
    }

    [Fact]
    public async Task RunAsync_ProcessLimit_ForksFail()
    {
        var finished = await RunAsync(Shell("for i in 1 2 3 4 5 6 7 8 9 10; do /bin/busybox sleep 2 & done; wait"), s => s with { Resources = new() { Pids = 5 } });
        Assert.Contains("can't fork", finished.ErrorText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_LimitsOfTheDocument_ReachTheKernel()
    {
        var resources = new TaskResources { Cpus = 0.5, Memory = 48 << 20, SharedMemory = 1 << 20, Pids = 77 };
        await using var container = await Engine.CreateContainerAsync(Spec() with { Resources = resources }, Token);
        var host = (await Fixture.Client.Containers.InspectContainerAsync(container.Id, Token)).HostConfig!;
        Assert.Equal((500_000_000, 48 << 20, 48 << 20, 77), (host.NanoCPUs, host.Memory, host.MemorySwap, host.PidsLimit));
        var shm = await RunAsync(container, Tool("df", "-k", "/dev/shm"));
        Assert.Contains(" 1024 ", shm.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_FifthOfAProcessor_KernelHoldsTheProgramBack()
    {
        // The kernel counts the periods in which it did so (cgroup v1 and v2 keep the file at different places).
        var work = Shell("i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; /bin/busybox cat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null || /bin/busybox cat /sys/fs/cgroup/cpu.stat");
        Assert.NotEqual(0, Throttled(await RunAsync(work, s => s with { Resources = new() { Cpus = 0.2 } })));
        Assert.Equal(0, Throttled(await RunAsync(work)));

        static int Throttled(Finished finished) => finished.OutputText.Split('\n').Where(l => l.StartsWith("nr_throttled ", StringComparison.Ordinal))
            .Select(l => int.Parse(l.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)).SingleOrDefault();
    }

    [Fact]
    public async Task RunAsync_MoreProcessorsThanThereAre_IsNoError() =>
        Assert.Equal(0, (await RunAsync(Tool("true"), s => s with { Resources = new() { Cpus = 4096 } })).Exit.ExitCode);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_AnyUser_HasNoCapabilitiesAndGainsNone(bool main)
    {
        var command = Tool("grep", "-E", "^(Cap(Eff|Prm|Bnd)|NoNewPrivs)", "/proc/self/status");
        await using var container = await Engine.CreateContainerAsync(Spec(main ? command : null), Token);
        var lines = (await RunAsync(container, command)).OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"], lines);
    }

    [Theory]
    [InlineData("4321", "4321:0")]
    [InlineData("4321:8765", "4321:8765")]
    [InlineData("alice", "1234:1235")]
    public async Task RunAsync_User_IsTaken(string user, string expected)
    {
        foreach (var main in new[] { true, false })
        {
            var command = Shell("echo $(/bin/busybox id -u):$(/bin/busybox id -g)");
            await using var container = await Engine.CreateContainerAsync(Spec(main ? command : null) with { User = user, ImageId = Fixture.ImageWithUsers }, Token);
            Assert.Equal(expected + "\n", (await RunAsync(container, command)).OutputText);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunAsync_EnvironmentAndDirectory_AreTaken(bool main)
    {
        var command = Shell("echo \"$A|$B|$PWD\"");
        await using var container = await Engine.CreateContainerAsync(Spec(main ? command : null) with
        {
            Environment = new Dictionary<string, string> { ["A"] = "x=y $HOME", ["B"] = "ü\n2" },
            WorkingDirectory = "/made/for this",
        }, Token);
        Assert.Equal("x=y $HOME|ü\n2|/made/for this\n", (await RunAsync(container, command)).OutputText);
    }

    [Fact]
    public async Task RunAsync_Mount_IsReadOnly()
    {
        var folder = Directory.CreateTempSubdirectory("sisyphus-test-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "in"), "given", Token);
            var finished = await RunAsync(Shell("/bin/busybox cat /mnt/in; echo x > /mnt/in"), s => s with { Mounts = [new ContainerMount(folder.FullName, "/mnt")] });
            Assert.Equal("given", finished.OutputText);
            Assert.Contains("Read-only", finished.ErrorText, StringComparison.Ordinal);
            Assert.NotEqual(0, finished.Exit.ExitCode);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task PeakMemory_LongerRun_IsSeen()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(null), Token);
        Assert.Null(container.PeakMemory);
        // The engine is asked now and then, and on a busy machine takes its time to answer.
        await RunAsync(container, Shell(Glutton + "; /bin/busybox sleep 3"));
        Assert.NotNull(container.PeakMemory);
        Assert.InRange(container.PeakMemory.Value, 1 << 20, 1L << 30);
    }

    [Fact]
    public async Task GetLayerSizeAsync_GrowsWithWhatIsWritten()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        await RunAsync(container, Tool("dd", "if=/dev/zero", "of=/big", "bs=1M", "count=5"));
        Assert.InRange((await container.GetLayerSizeAsync(Token))!.Value, 5 << 20, 6 << 20);
    }

    [Fact]
    public async Task CreateContainerAsync_DiskLimitTheDriverDoesNotKnow_RunsWithoutIt() =>
        // On a driver with quotas the limit is in force instead; either way the task runs.
        Assert.Equal(0, (await RunAsync(Tool("true"), s => s with { Resources = new() { Disk = 1L << 30 } })).Exit.ExitCode);
}
