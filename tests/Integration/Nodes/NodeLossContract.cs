using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>Nodes in processes of their own that are killed or hung: whatever the queue, nothing is lost, and nothing published twice.</summary>
public abstract class NodeLossContract(EngineFixture engine, ShellImageFixture shell, string? address = null) : NodeTest(engine, shell, address)
{
    private const string Output = """, "inputs": {"b:in": "/in"}, "outputs": {"b:x": "/out/x"}""";
    private const string LargeInput = """, "inputs": {"b:in": "/in", "b:large": "/large"}, "outputs": {"b:x": "/out/x"}""";
    private const int LargeBytes = 512 * 1024 * 1024;
    private const int ShortLease = 3;
    private const int LongLease = 60;
    private readonly EngineFixture _fixture = engine;

    public enum Step
    {
        Claimed,
        Pulling,
        StagingIn,
        Running,
        Staging,
        Decided,
    }

    /// <summary>Seconds; longer than all patience where a queue also notices in another way that a node is gone.</summary>
    private protected virtual int LeaseOfTheKilled => LongLease;

    /// <summary>The queue as the processes reach it.</summary>
    private protected virtual string AddressOfProcesses => Address;

    /// <summary>From now on the processes can tell the queue nothing.</summary>
    /// <returns>Ends that.</returns>
    private protected abstract Task<IAsyncDisposable> HoldUpAsync();

    [Theory]
    [InlineData(Step.Claimed)]
    [InlineData(Step.Pulling)]
    [InlineData(Step.StagingIn)]
    [InlineData(Step.Running)]
    [InlineData(Step.Staging)]
    [InlineData(Step.Decided)]
    public async Task Kill_NodeInTheMiddleOfATask_AnotherPublishesItOnceAndTheNextStartLeavesNothing(Step step)
    {
        Harness.Put("b", "in", step is Step.Claimed or Step.Running ? "wait" : "go");
        var document = Json("a", "if [ $(cat /in) = wait ]; then sleep 600; fi; dd if=/dev/zero of=/out/x bs=1M count=64", step == Step.StagingIn ? LargeInput : Output);
        // Accepts, and never answers.
        using var registry = new TcpListener(IPAddress.Loopback, 0);
        registry.Start();
        var image = step == Step.Pulling ? $"{registry.LocalEndpoint}/silent:1" : Image;
        Harness.Put("b", "large", new byte[step == Step.StagingIn ? LargeBytes : 1]);
        UseLease(LeaseOfTheKilled);
        await SendAsync(document.Replace(Image, image, StringComparison.Ordinal));
        await using var killed = StartProcess(LeaseOfTheKilled);
        await UntilAsync(step, registry);
        await killed.KillAsync();
        var since = Stopwatch.GetTimestamp();
        Harness.Put("b", "in", "go");
        if (step == Step.Pulling)
            await Client.Images.TagImageAsync(Image, new() { RepositoryName = $"{registry.LocalEndpoint}/silent", Tag = "1" }, Token);

        await using var other = Start(options => options.MaxTasks = 1, OtherName);
        if (step is Step.Claimed or Step.Pulling or Step.Running)
        {
            await UntilAsync("a", item => item.Kind == QueueEventKind.TaskClaimed && item.Node == OtherName);
            TestContext.Current.TestOutputHelper?.WriteLine($"Taken over {Stopwatch.GetElapsedTime(since).TotalMilliseconds:0} ms after SIGKILL.");
        }

        var task = await UntilEndedAsync("a");
        other.Node.Drain();
        await other.EndAsync();
        if (step == Step.Pulling)
            await Client.Images.DeleteImageAsync(image, new(), Token);

        Assert.Equal(TaskState.Complete, task.State);
        Assert.Equal(64 * 1024 * 1024, new FileInfo(Harness.PathOf("b", "x")).Length);
        Assert.Contains("\"done\":true", Harness.Get("b", ".sisyphus/a/published.json").Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Single(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskEnded);

        // What the killed one left is gone after the next start, container and staging.
        await using var again = Start(options => options.IdleTimeout = TimeSpan.Zero);
        await again.EndAsync();
        Assert.Empty(await ContainersAsync());
        Assert.Empty(Harness.Runs());
        Assert.Equal(["published.json"], Directory.EnumerateFiles(Harness.PathOf("b", ".sisyphus/a"), "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Kill_NodeThatHasPublishedAndNotAcknowledged_AnotherAcknowledgesWithoutARun()
    {
        UseLease(LeaseOfTheKilled);
        await SendAsync(Json("a", "sleep 1; echo done > /out/x", """, "outputs": {"b:x": "/out/x"}"""));
        await using var killed = StartProcess(LeaseOfTheKilled);
        await UntilRunningAsync("a");
        await using (await HoldUpAsync())
        {
            await TestWait.UntilAsync(
                () => Task.FromResult(Harness.Exists("b", "x") && Harness.Get("b", ".sisyphus/a/published.json").Contains("\"done\":true", StringComparison.Ordinal)), TimeSpan.FromSeconds(20));
            await killed.KillAsync();
        }

        await using var other = Start(options => options.MaxTasks = 1, OtherName);
        await other.EndAsync();
        Assert.Equal((TaskState.Complete, 0), (other.Results.Single().State, other.Results.Single().Attempts));
        Assert.Equal((TaskState.Complete, 1), ((await GetAsync("a")).State, (await GetAsync("a")).Losses));
        Assert.Single(await EventsAsync("a"), item => item.State == TaskState.Running);
        await using var again = Start(options => options.IdleTimeout = TimeSpan.Zero);
        await again.EndAsync();
        Assert.Empty(await ContainersAsync());
    }

    [Theory]
    [InlineData(600)]
    [InlineData(1)]
    public async Task Stop_NodePastItsLeaseAndContinued_ItsAttemptIsThrownAway(int zombieSeconds)
    {
        // With 1 the container ends while its node is stopped, and the node wakes with outputs in its hands.
        UseLease(ShortLease);
        Harness.Put("b", "in", "first");
        await SendAsync(Json("a", $"if [ $(cat /in) = first ]; then sleep {zombieSeconds}; else sleep 2; fi; cat /in > /out/x", Output));
        await using var hung = StartProcess(ShortLease);
        await UntilRunningAsync("a");
        await hung.SignalAsync("STOP");
        Harness.Put("b", "in", "second");
        await using var other = Start(options => options.MaxTasks = 1, OtherName);
        Assert.Equal((TaskState.Complete, 1), ((await UntilEndedAsync("a")).State, (await GetAsync("a")).Losses));
        await other.EndAsync();
        Assert.Equal("second", Harness.Get("b", "x"));

        await hung.SignalAsync("CONT");
        await TestWait.UntilAsync(async () => await CountTaskContainersAsync() == 0, TimeSpan.FromSeconds(60));
        // A broker has given up the connection meanwhile, and the node has to be back before it is there.
        await TestWait.UntilAsync(() => Queue.StopNodeAsync(Harness.NodeName, NodeStop.Drain, Token), TimeSpan.FromSeconds(30));
        Assert.Equal(0, await hung.EndAsync());
        Assert.Equal("", hung.Output.Trim());
        Assert.Equal("second", Harness.Get("b", "x"));
        Assert.Single(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskEnded);
        Assert.Equal(["published.json"], Directory.EnumerateFiles(Harness.PathOf("b", ".sisyphus/a"), "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Empty(Harness.Runs());
    }

    [Fact]
    public async Task Start_SecondProcessOfTheName_IsRefusedAndTheFirstWorksOn()
    {
        await using var first = StartProcess(LongLease);
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Count == 1, TimeSpan.FromSeconds(30));
        await using var second = StartProcess(LongLease);
        Assert.Equal(3, await second.EndAsync());
        Assert.Contains($"{QueueFailure.NodeNameTaken}: ", second.Errors, StringComparison.Ordinal);
        Assert.Contains(Harness.NodeName, second.Errors, StringComparison.Ordinal);

        await SendAsync(Json("a", "true"));
        Assert.Equal(TaskState.Complete, (await UntilEndedAsync("a")).State);
        await Queue.StopNodeAsync(Harness.NodeName, NodeStop.Drain, Token);
        Assert.Equal(0, await first.EndAsync());
        Assert.Contains("a Complete", first.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Kill_NodeAndStartItAgain_ItsTaskIsBackAndTheLossCounted(bool isLeased)
    {
        Harness.Put("b", "in", "wait");
        UseLease(isLeased ? LongLease : ShortLease);
        await SendAsync(Json("a", "if [ $(cat /in) = wait ]; then sleep 600; fi; echo done > /out/x", Output));
        await using var killed = StartProcess(isLeased ? LongLease : ShortLease);
        await UntilRunningAsync("a");
        await killed.KillAsync();
        Harness.Put("b", "in", "go");
        // Nobody is there who could tell that a lease has run out.
        if (!isLeased)
            await Task.Delay(TimeSpan.FromSeconds(ShortLease + 1), Token);

        var since = Stopwatch.GetTimestamp();
        await using var again = Start(options => options.MaxTasks = 1);
        await UntilAsync("a", item => item.Kind == QueueEventKind.TaskLost);
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(LongLease / 2));
        await again.EndAsync();
        AssertComplete(Assert.Single(again.Results));
        Assert.Equal((TaskState.Complete, 1, 1), ((await GetAsync("a")).State, (await GetAsync("a")).Losses, (await GetAsync("a")).Attempts));
        Assert.Single(await EventsAsync("a"), item => item.Kind == QueueEventKind.TaskLost);
        Assert.Empty(await ContainersAsync());
    }

    [Fact]
    public async Task Kill_EveryNodeThatTakesTheTask_IsParkedAfterMaxLosses()
    {
        UseLease(LongLease);
        await SendAsync(Json("a", "sleep 600"));
        for (var losses = 0; losses < QueueOptions.DefaultMaxLosses; losses++)
        {
            await using var node = StartProcess(LongLease);
            await TestWait.UntilAsync(async () => (await GetAsync("a")) is { State: TaskState.Running } task && task.Losses == losses, TimeSpan.FromSeconds(60));
            await node.KillAsync();
        }

        await using var last = Start(options => options.IdleTimeout = TimeSpan.Zero);
        await last.EndAsync();
        Assert.Empty(last.Results);
        var letter = await DeadLetterAsync("a");
        Assert.Equal((FailureReason.NodeLost, QueueOptions.DefaultMaxLosses), (letter.Reason, letter.Attempts.Count));
        Assert.Empty(await ContainersAsync());
    }

    private void UseLease(int seconds) => Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(seconds) });

    private NodeProcess StartProcess(int leaseSeconds) => StartProcess(AddressOfProcesses, leaseSeconds);

    private async Task UntilAsync(Step step, TcpListener registry)
    {
        switch (step)
        {
            case Step.Claimed:
                await UntilAsync("a", item => item.Kind == QueueEventKind.TaskClaimed);
                break;
            case Step.Pulling:
                await TestWait.UntilAsync(() => Task.FromResult(registry.Pending()), TimeSpan.FromSeconds(60));
                break;
            case Step.StagingIn:
                // The large input has begun to come, and takes longer than the kill.
                await TestWait.UntilAsync(() => Task.FromResult(CacheFiles().Any(file => file is { Exists: true, Length: > 1024 * 1024 and < LargeBytes })), TimeSpan.FromSeconds(60));
                break;
            case Step.Running:
                await UntilRunningAsync("a");
                break;
            case Step.Staging:
                await TestWait.UntilAsync(() => Task.FromResult(Directory.Exists(Harness.PathOf("b", ".sisyphus/a"))), TimeSpan.FromSeconds(60));
                break;
            default:
                await TestWait.UntilAsync(() => Task.FromResult(Harness.Exists("b", ".sisyphus/a/published.json")), TimeSpan.FromSeconds(60));
                break;
        }
    }

    private IEnumerable<FileInfo> CacheFiles()
    {
        var cache = new DirectoryInfo(Path.Combine(Harness.WorkDirectory, "cache"));
        return cache.Exists ? cache.EnumerateFiles("*", SearchOption.AllDirectories) : [];
    }

    private async Task<int> CountTaskContainersAsync() =>
        (await _fixture.ContainersAsync(new Dictionary<string, string> { ["sisyphus.node"] = Harness.NodeName, ["sisyphus.task"] = "a" })).Count;

    private async Task<IEnumerable<string>> ContainersAsync() =>
        (await _fixture.ContainersAsync(new Dictionary<string, string> { ["sisyphus.node"] = Harness.NodeName })).Select(container => container.ID);
}
