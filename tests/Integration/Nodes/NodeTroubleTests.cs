using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;
using Sisyphus.Tests.Unit.Storage;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>What fails around a node is no task's fault.</summary>
public sealed class NodeTroubleTests(EngineFixture engine, ShellImageFixture shell) : NodeTest(engine, shell)
{
    [Fact]
    public async Task RunAsync_EngineAnswersOnlyLater_WaitsPausedAndSaysSo()
    {
        await SendAsync(Json("a", "true"));
        int port;
        await using (var relay = new EngineRelay(Socket))
            port = relay.Port;
        await using var elsewhere = DockerContainerEngine.Connect($"tcp://127.0.0.1:{port}");
        await using var node = Start(options => options.MaxTasks = 1, engine: elsewhere);
        await node.UntilAsync(running => running.States.Any(state => state.State == NodeState.Paused));
        Assert.Contains($"{port}", node.States.First(state => state.State == NodeState.Paused).Message, StringComparison.Ordinal);
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Any(info => info.State == NodeState.Paused && info.Message.Length > 0), TimeSpan.FromSeconds(30));

        await using var back = new EngineRelay(Socket, port: port);
        await node.EndAsync();
        AssertComplete(Assert.Single(node.Results));
        Assert.Equal((await Engine.GetInfoAsync(Token)).Memory, (await Queue.GetNodesAsync(Token)).Single().Memory);
    }

    [Fact]
    public async Task RunAsync_EngineGoesWhileTaskRuns_PausesChargesNothingAndRunsItAgain()
    {
        Harness.Put("b", "in", "wait");
        await SendAsync(Json("a", "if [ $(cat /in) = wait ]; then sleep 600; fi; echo done > /out/x", """, "retries": 0, "inputs": {"b:in": "/in"}, "outputs": {"b:x": "/out/x"}"""));
        var relay = new EngineRelay(Socket);
        var port = relay.Port;
        await using var elsewhere = DockerContainerEngine.Connect($"tcp://127.0.0.1:{port}");
        await using var node = Start(options => options.MaxTasks = 1, engine: elsewhere);
        await UntilRunningAsync("a");
        Harness.Put("b", "in", "go");
        await relay.DisposeAsync();
        await UntilAsync("a", item => item.Kind == QueueEventKind.TaskReleased);
        await node.UntilAsync(running => running.States.Any(state => state.State == NodeState.Paused));

        await using var back = new EngineRelay(Socket, port: port);
        await node.EndAsync();
        AssertComplete(Assert.Single(node.Results));
        Assert.Equal("done\n", Harness.Get("b", "x"));
        Assert.Equal((1, 0), (Assert.Single(node.Results).Attempts, (await GetAsync("a")).Losses));
    }

    [Theory]
    [InlineData("""{"b:x": ">"}""", "true")]
    [InlineData("""{"b:x": ">", "b:log": ">>"}""", "true")]
    public async Task RunAsync_WorkDirectoryFull_PausesChargesNothingAndRecovers(string outputs, string script)
    {
        var folder = Path.Combine(Path.GetDirectoryName(Harness.StoreRoot)!, "small");
        using var disk = SmallDisk.TryMount(folder, "4m");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        var filler = Path.Combine(folder, "filler");
        await using var node = Start(options => options.MaxTasks = 1, workDirectory: folder);
        await node.UntilAsync(running => Directory.Exists(Path.Combine(folder, "runs")));
        await FillAsync(filler);
        await SendAsync(Json("a", script, $$""", "retries": 0, "outputs": {{outputs}}"""));
        await UntilAsync("a", item => item.Kind == QueueEventKind.TaskReleased);
        await node.UntilAsync(running => running.States.Any(state => state.State == NodeState.Paused));
        Assert.Contains("space", node.States.First(state => state.State == NodeState.Paused).Message, StringComparison.Ordinal);

        File.Delete(filler);
        await node.EndAsync();
        AssertComplete(Assert.Single(node.Results));
        Assert.Equal(1, Assert.Single(node.Results).Attempts);
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(folder, "runs")));
    }

    [Fact]
    public async Task RunAsync_TaskThatAloneNeedsMoreRoomThanThereIs_IsChargedInTheEnd()
    {
        var folder = Path.Combine(Path.GetDirectoryName(Harness.StoreRoot)!, "small");
        using var disk = SmallDisk.TryMount(folder, "4m");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        await SendAsync(Json("a", "dd if=/dev/zero bs=1M count=8", """, "retries": 0, "outputs": {"b:x": ">"}"""));
        await using var node = Start(options => options.MaxTasks = 1, workDirectory: folder);
        await node.EndAsync();
        var letter = await DeadLetterAsync("a");
        Assert.Equal((FailureReason.DiskFull, 1), (letter.Reason, letter.Attempts.Count));
        Assert.Equal(3, (await EventsAsync("a")).Count(item => item.Kind == QueueEventKind.TaskReleased));
    }

    private string Socket => new Uri(Engine.Endpoint).AbsolutePath;

    private static async Task FillAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var block = new byte[4096]; ;)
                await file.WriteAsync(block, Token);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
