using System.Diagnostics;

using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

public sealed class StopTests(EngineFixture fixture) : ContainerTest(fixture)
{
    [Fact]
    public async Task StopAsync_ProgramThatHandlesTheSignal_EndsInGoodOrder()
    {
        var script = Shell("trap 'echo bye; exit 5' TERM; echo up; while :; do /bin/busybox sleep 0.05; done");
        await using var container = await Engine.CreateContainerAsync(Spec(script), Token);
        var output = new Announcing();
        var running = container.RunAsync(script, null, output, Stream.Null, Token);
        await output.Said.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await container.StopAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Equal(5, (await running).ExitCode);
        Assert.Equal("up\nbye\n", output.Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StopAsync_ProgramThatIgnoresTheSignal_IsKilledAfterTheGrace(bool main)
    {
        var script = Shell("trap '' TERM; echo up; while :; do /bin/busybox sleep 0.1; done");
        await using var container = await Engine.CreateContainerAsync(Spec(main ? script : null), Token);
        var output = new Announcing();
        var running = container.RunAsync(script, null, output, Stream.Null, Token);
        await output.Said.WaitAsync(TimeSpan.FromSeconds(30), Token);
        var watch = Stopwatch.StartNew();
        await container.StopAsync(TimeSpan.FromSeconds(1), Token);
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(15));
        Assert.Equal(137, (await running.WaitAsync(TimeSpan.FromSeconds(20), Token)).ExitCode);
    }

    [Fact]
    public async Task StopAsync_CommandsByExec_GetTheSignalToo()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        var output = new Announcing();
        var running = container.RunAsync(Shell("trap 'echo bye; exit 6' TERM; echo up; while :; do /bin/busybox sleep 0.05; done"), null, output, Stream.Null, Token);
        await output.Said.WaitAsync(TimeSpan.FromSeconds(30), Token);
        var watch = Stopwatch.StartNew();
        await container.StopAsync(TimeSpan.FromSeconds(30), Token);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Equal(6, (await running.WaitAsync(TimeSpan.FromSeconds(20), Token)).ExitCode);
        Assert.Equal("up\nbye\n", output.Text);
    }

    [Fact]
    public async Task StopAsync_TwiceAndAfterDispose_IsFineAndFilesStayReadable()
    {
        var container = await Engine.CreateContainerAsync(Spec(), Token);
        await RunAsync(container, Tool("dd", "of=/made"), "kept"u8.ToArray());
        await container.StopAsync(TimeSpan.FromSeconds(5), Token);
        await container.StopAsync(TimeSpan.Zero, Token);
        Assert.Equal(4, (await container.StatAsync("/made", Token))!.Size);
        await container.DisposeAsync();
        await container.DisposeAsync();
        await container.StopAsync(TimeSpan.FromSeconds(5), Token);
    }

    [Fact]
    public async Task WaitingProgram_Orphans_AreReaped()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        // The child's parent ends first, so that PID 1 inherits it.
        await RunAsync(container, Shell("(/bin/busybox sleep 0.2 &) ; (/bin/busybox sleep 0.2 &)"));
        await RunAsync(container, Shell("/bin/busybox sleep 0.6"));
        var processes = (await RunAsync(container, Tool("ps", "-o", "pid,stat,args"))).OutputText;
        Assert.DoesNotContain("Z", processes[processes.IndexOf('\n', StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.DoesNotContain("sleep", processes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_BackgroundProcessKeepsTheStreams_CommandEndsAllTheSame()
    {
        await using var container = await Engine.CreateContainerAsync(Spec(), Token);
        var finished = await RunAsync(container, Shell("/bin/busybox sleep 600 & echo on")).WaitAsync(TimeSpan.FromSeconds(60), Token);
        Assert.Equal("on\n", finished.OutputText);
    }

    [Fact]
    public async Task RunAsync_Cancelled_LetsGoAndDisposeRemoves()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var command = Shell("echo up; /bin/busybox sleep 600");
        await using (var container = await Engine.CreateContainerAsync(Spec(command), Token))
        {
            var output = new Announcing();
            var running = container.RunAsync(command, null, output, Stream.Null, cancel.Token);
            await output.Said.WaitAsync(TimeSpan.FromSeconds(30), Token);
            await cancel.CancelAsync();
            var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(TimeSpan.FromSeconds(10), Token));
            Assert.Equal(cancel.Token, canceled.CancellationToken);
        }
        Assert.Empty(await Fixture.ContainersAsync(Labels));
    }

    [Fact]
    public async Task RunAsync_ContainerRemovedUnderUs_IsInternal()
    {
        var command = Shell("echo up; /bin/busybox sleep 600");
        await using var container = await Engine.CreateContainerAsync(Spec(command), Token);
        var output = new Announcing();
        var running = container.RunAsync(command, null, output, Stream.Null, Token);
        await output.Said.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await Fixture.Client.Containers.RemoveContainerAsync(container.Id, new() { Force = true }, Token);
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => running.WaitAsync(TimeSpan.FromSeconds(20), Token));
        Assert.Equal(FailureReason.Internal, failure.Reason);
    }

    [Fact]
    public async Task SweepAsync_Labels_RemovesExactlyThoseThatCarryAll()
    {
        var both = new Dictionary<string, string>(Labels) { ["sisyphus.more"] = "1" };
        await using var kept = await Engine.CreateContainerAsync(Spec(Tool("true")), Token);
        await Engine.CreateContainerAsync(Spec(Tool("true")) with { Labels = both }, Token);
        await Engine.CreateContainerAsync(Spec() with { Labels = both }, Token);
        Assert.Equal(2, await Engine.SweepAsync(both, Token));
        Assert.Equal(kept.Id, Assert.Single(await Fixture.ContainersAsync(Labels)).ID);
        Assert.Equal(0, await Engine.SweepAsync(both, Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Engine.SweepAsync(new Dictionary<string, string>(), Token));
    }

    // Says when the first bytes have come.
    private sealed class Announcing : MemoryStream
    {
        private readonly TaskCompletionSource _said = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Said => _said.Task;
        public string Text => System.Text.Encoding.UTF8.GetString(ToArray());

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken);
            _said.TrySetResult();
        }
    }
}
