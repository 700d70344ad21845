using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>An order to cancel outlives everything, and arrives soon.</summary>
public sealed class CancelTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancel_QueuedTasksAndBrokerRestarted_NoneStarts()
    {
        await using var work = new Workload(fixture.Server, TimeSpan.FromSeconds(6));
        var sent = await work.SendAsync(200);
        var outcomes = await work.Queue.CancelAsync(sent, Token);
        Assert.All(outcomes, outcome => Assert.Equal(CancelResult.Canceled, outcome.Result));
        await work.KillBrokerAsync();
        await fixture.Server.StartAsync();
        await using var other = TaskQueues.Open(work.Address, work.Options());
        await work.JoinAsync("a", 4);
        await work.JoinAsync("b", 4);
        await work.AssertEmptyAsync(40);
        Assert.Empty(work.Executions);
        var states = new List<TaskState>();
        await foreach (var task in other.GetTasksAsync(new TaskQuery(), Token))
            states.Add(task.State);
        Assert.Equal(200, states.Count(state => state == TaskState.Canceled));
    }

    [Fact]
    public async Task Cancel_HalfOfTenThousandWhileHalfTheNodesAreDown_OnlyTheOtherHalfRuns()
    {
        await using var work = new Workload(fixture.Server, TimeSpan.FromSeconds(6)) { Hold = _ => TimeSpan.FromMinutes(5) };
        var down = await work.JoinAsync("down", 4);
        var held = await work.SendAsync(4);
        await work.StartedAsync(4);
        await work.KillAsync(down);
        work.Hold = _ => TimeSpan.Zero;
        var sent = await work.SendAsync(10_000);
        var canceled = sent.Where((_, i) => i % 2 == 0).ToHashSet();
        var outcomes = await work.Queue.CancelAsync([.. canceled], Token);
        Assert.All(outcomes, outcome => Assert.Equal(CancelResult.Canceled, outcome.Result));
        await work.JoinAsync("up", 16);
        await work.UntilAsync(() => work.Executions.Count(run => run.Counted == true) == 5_004, 180, () => $"{work.Executions.Count} ran.");
        await work.AssertEmptyAsync(60);
        Assert.DoesNotContain(work.Executions, run => canceled.Contains(run.Task));
        Assert.Equal(sent.Except(canceled).Concat(held).Order(), work.Executions.Where(run => run.Counted == true).Select(run => run.Task).Order());
    }

    [Fact]
    public async Task Cancel_RunningTask_ReachesItsNodeSoon()
    {
        await using var work = new Workload(fixture.Server, TimeSpan.FromSeconds(30)) { Hold = _ => TimeSpan.FromMinutes(5) };
        var nodes = new[] { await work.JoinAsync("a", 10), await work.JoinAsync("b", 10) };
        var sent = await work.SendAsync(20);
        await work.StartedAsync(20);
        List<double> took = [];
        foreach (var id in sent)
        {
            var asked = Stopwatch.GetTimestamp();
            Assert.Equal(CancelResult.Requested, Assert.Single(await work.Queue.CancelAsync([id], Token)).Result);
            await work.UntilAsync(() => nodes.Any(node => node.Canceled.ContainsKey(id)), 5, () => $"Nobody hears that {id} is canceled.");
            took.Add(Stopwatch.GetElapsedTime(asked, nodes.Select(node => node.Canceled.GetValueOrDefault(id)).Max()).TotalMilliseconds);
        }
        took.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine($"cancel of a running task: median {took[10]:0} ms, longest {took[^1]:0} ms of 20");
        Assert.InRange(took[10], 0, 2000);
    }
}
