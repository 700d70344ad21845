using System.Globalization;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Broker;
using Sisyphus.Tests.Integration.Execution;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>Nodes and broker that go and come back while tasks run.</summary>
[Collection(nameof(NodeBroker))]
public sealed class RabbitMqNodeTroubleTests(EngineFixture engine, ShellImageFixture shell, OwnBrokerFixture broker) : NodeTest(engine, shell, BrokerQueues.New(broker.Server.AmqpUri))
{
    /// <summary>Set it to repeat what a run did.</summary>
    private const string SeedVariable = "SISYPHUS_TEST_SEED";

    [Fact]
    public async Task Restart_BrokerInTheMiddleOfATask_ItRunsOnceAndIsPublishedOnce()
    {
        const int Lease = 60;
        Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(Lease) });
        await SendAsync(Json("a", "sleep 12; echo done > /out/x", """, "outputs": {"b:x": "/out/x"}"""));
        await using var node = StartProcess(Address, Lease);
        await UntilRunningAsync("a");
        await using var other = Start(name: OtherName);
        await TestWait.UntilAsync(async () => (await Queue.GetNodesAsync(Token)).Count == 2, TimeSpan.FromSeconds(20));
        // Who watches is not disturbed either.
        var ending = UntilEndedAsync("a");
        await broker.Server.RestartAsync();

        var task = await ending;
        Assert.Equal((TaskState.Complete, 0, Harness.NodeName), (task.State, task.Losses, task.Node));
        var events = await EventsAsync("a");
        Assert.Single(events, item => item.Kind == QueueEventKind.TaskClaimed);
        Assert.Single(events, item => item.Kind == QueueEventKind.TaskEnded);
        Assert.Equal("done\n", Harness.Get("b", "x"));

        // Both take tasks again.
        string[] ids = [.. Enumerable.Range(0, 6).Select(index => $"t{index}")];
        await SendAsync([.. ids.Select(id => Json(id, "sleep 0.5"))]);
        foreach (var id in ids)
            await UntilEndedAsync(id);
        Assert.Equal([Harness.NodeName, OtherName], (await Task.WhenAll(ids.Select(GetAsync))).Select(ended => ended.Node).Distinct().Order());
        await node.SignalAsync("TERM");
        Assert.Equal(0, await node.EndAsync());
        other.Node.Drain();
        await other.EndAsync();
    }

    [Fact]
    public async Task KillAndStop_NodesAtRandomMoments_EveryTaskIsPublishedOnce()
    {
        const int Lease = 4;
        const int Slots = 4;
        var seed = Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"{SeedVariable}={seed}");
        var random = new Random(seed);
        Queue = TaskQueues.Open(Address, new QueueOptions { LeaseTime = TimeSpan.FromSeconds(Lease) });
        string[] ids = [.. Enumerable.Range(0, 40).Select(index => $"t{index:00}")];
        await SendAsync([.. ids.Select(id => Json(id, $"sleep {1 + random.Next(3)}; hostname > /out/x", $$""", "outputs": {"b:{{id}}": "/out/x"}"""))]);
        await using var killed = StartProcess(Address, Lease, concurrency: Slots);
        await using var hung = StartProcess(Address, Lease, OtherName, Slots);
        await UntilAsync(ids, item => item.State == TaskState.Running);

        var (kill, restart) = (random.NextDouble() * 6, random.NextDouble() * 2 * Lease);
        var (stop, resume) = (random.NextDouble() * 10, (0.5 + (random.NextDouble() * 2.5)) * Lease);
        var killing = After(kill, killed.KillAsync);
        await After(stop, () => hung.SignalAsync("STOP"));
        var continuing = After(resume, () => hung.SignalAsync("CONT"));
        await killing;
        await Task.Delay(TimeSpan.FromSeconds(restart), Token);
        await using var again = StartProcess(Address, Lease, concurrency: Slots);
        await continuing;
        foreach (var id in ids)
            await UntilEndedAsync(id);

        var events = await EventsAsync(ids);
        var (claims, runs) = (events.Count(item => item.Kind == QueueEventKind.TaskClaimed), events.Count(item => item.State == TaskState.Running));
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant(
            $"Killed after {kill:0.0} s, back after {restart:0.0} s; stopped after {stop:0.0} s for {resume:0.0} s: {claims - ids.Length} extra claims, {runs - ids.Length} extra containers, {events.Count(item => item.Kind == QueueEventKind.TaskLost)} losses."));
        await TestWait.UntilAsync(() => Queue.StopNodeAsync(OtherName, NodeStop.Drain, Token), TimeSpan.FromSeconds(30));
        Assert.Equal(0, await hung.EndAsync());
        await again.SignalAsync("TERM");
        Assert.Equal(0, await again.EndAsync());
        // Once more, when nobody is there any more who might say something late.
        events = await EventsAsync(ids);
        foreach (var id in ids)
        {
            Assert.Equal(TaskState.Complete, (await GetAsync(id)).State);
            Assert.Single(events, item => item.TaskId == id && item.Kind == QueueEventKind.TaskEnded);
            Assert.Equal(QueueEventKind.TaskEnded, events.Last(item => item.TaskId == id).Kind);
            AssertPublishedWhole(id);
        }

        Assert.Empty(Harness.Runs());
        var info = await Queue.GetInfoAsync(Token);
        Assert.Equal((0, 0, 0, 0, ids.Length), (info.Ready, info.Delayed, info.Leased, info.DeadLetters, info.Ended));
    }

    private static async Task After(double seconds, Func<Task> act)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds), Token);
        await act();
    }
}
