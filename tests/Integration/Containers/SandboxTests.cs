using System.Diagnostics;

using Docker.DotNet;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

public sealed class SandboxTests(EngineFixture fixture) : ContainerTest(fixture)
{
    [Fact]
    public async Task CreateSandboxAsync_MetadataAddress_IsUnreachableAtOnceAndTheGatewayIsNot()
    {
        await using var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata: false, Token);
        var gateway = (await Fixture.Client.Containers.InspectContainerAsync(sandbox.ContainerId, Token)).NetworkSettings!.Networks["bridge"].Gateway;

        var blocked = await RunInAsync(sandbox, Tool("nc", "-w", "8", "169.254.169.254", "80"));
        Assert.Matches("(No route to host|[Uu]nreachable)", blocked.ErrorText);
        // A refused connection has been answered by the gateway: it can be reached.
        var reached = await RunInAsync(sandbox, Tool("nc", "-w", "8", gateway, "9"));
        Assert.Contains("refused", reached.ErrorText, StringComparison.Ordinal);
        Assert.InRange(blocked.Exit.Finished - blocked.Exit.Started, TimeSpan.Zero, TimeSpan.FromSeconds(4));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CreateSandboxAsync_RejectRoute_IsThereUnlessAllowed(bool allowMetadata)
    {
        await using var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata, Token);
        // Address and flags (up, host, reject) as the kernel writes them.
        var routes = await RunInAsync(sandbox, Tool("cat", "/proc/net/route"));
        Assert.Equal(!allowMetadata, routes.OutputText.Contains("FEA9FEA9\t00000000\t0205", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CreateSandboxAsync_TaskThatJoined_CanNotTakeTheRouteAway()
    {
        await using var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata: false, Token);
        var removed = await RunInAsync(sandbox, Tool("ip", "route", "del", "unreachable", "169.254.169.254"));
        Assert.Contains("not permitted", removed.ErrorText, StringComparison.Ordinal);
        Assert.NotEqual(0, removed.Exit.ExitCode);
    }

    [Fact]
    public async Task CreateSandboxAsync_Image_IsImportedOnceAndKept()
    {
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            await using var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata: false, Token);
        }));
        var reference = $"{WaitProgram.Repository}:{WaitProgram.For((await Engine.GetInfoAsync(Token)).Architecture).Tag}";
        var images = await Fixture.Client.Images.ListImagesAsync(new() { Filters = new Dictionary<string, IDictionary<string, bool>> { ["reference"] = new Dictionary<string, bool> { [reference] = true } } }, Token);
        var image = Assert.Single(images);
        Assert.InRange(image.Size, 1, 4096);
    }

    [Fact]
    public async Task RunAsync_WithoutASandbox_OnlyLoopback()
    {
        var finished = await RunAsync(Tool("ip", "-o", "link"));
        Assert.Contains(": lo:", Assert.Single(finished.OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_SandboxShared_TasksMeetOnLoopback()
    {
        await using var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata: false, Token);
        var server = Tool("nc", "-l", "-p", "4321", "-e", EngineFixture.Tool, "echo", "hello");
        await using var serving = await Engine.CreateContainerAsync(Spec(server) with { Network = sandbox }, Token);
        var listening = RunAsync(serving, server);
        var heard = await RunInAsync(sandbox, Shell("for i in 1 2 3 4 5 6 7 8 9 10; do /bin/busybox nc 127.0.0.1 4321 </dev/null && exit; /bin/busybox sleep 0.3; done"));
        Assert.Equal("hello\n", heard.OutputText);
        await listening;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CreateContainerAsync_SandboxDied_SaysSoAndSandboxIsNotUsable(bool removed)
    {
        await using var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata: false, Token);
        Assert.True(sandbox.Usable);
        if (removed)
            await Fixture.Client.Containers.RemoveContainerAsync(sandbox.ContainerId, new() { Force = true }, Token);
        else
            await Fixture.Client.Containers.KillContainerAsync(sandbox.ContainerId, new(), Token);
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => RunInAsync(sandbox, Tool("true")));
        Assert.Equal(FailureReason.EngineUnavailable, failure.Reason);
        Assert.Contains("sandbox", failure.Message, StringComparison.Ordinal);
        Assert.False(sandbox.Usable);
    }

    [Fact]
    public async Task DisposeAsync_Sandbox_EndsAtOnce()
    {
        var sandbox = await Engine.CreateSandboxAsync(Labels, allowMetadata: false, Token);
        var watch = Stopwatch.StartNew();
        await sandbox.DisposeAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(8));
        await Assert.ThrowsAsync<DockerContainerNotFoundException>(() => Fixture.Client.Containers.InspectContainerAsync(sandbox.ContainerId, Token));
    }

    private async Task<Finished> RunInAsync(INetworkSandbox sandbox, TaskCommand command) => await RunAsync(command, s => s with { Network = sandbox });
}
