using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>The broker runs, and takes no messages.</summary>
public sealed class BrokerAlarmTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(5);

    private BrokerServer Server => fixture.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("disk")]
    [InlineData("memory")]
    public async Task Alarm_ForTwoLeases_TasksStayWhereTheyAre(string kind)
    {
        await using var work = new Workload(Server, s_lease) { Hold = id => TimeSpan.FromSeconds(id.EndsWith('0') ? 18 : 2.5 * s_lease.TotalSeconds) };
        await work.JoinAsync("a", 3);
        await work.JoinAsync("b", 3);
        await work.JoinAsync("waits", 6);
        await work.SendAsync(10);
        await work.StartedAsync(10);
        await SetAlarmAsync(kind, true);
        try
        {
            await Task.Delay(2 * s_lease, Token);
        }
        finally
        {
            await SetAlarmAsync(kind, false);
        }
        var more = await work.FinishAsync();
        work.Report($"{kind} alarm for 2 leases", more);
        Assert.Equal(0, more);
        await work.AssertHearsAsync();
    }

    [Fact]
    public async Task Alarm_WhileSending_ObeysCancellationAndGoesOn()
    {
        await using var work = new Workload(Server, s_lease);
        await work.JoinAsync("a", 6);
        await work.SendAsync(1);
        await SetAlarmAsync("disk", true);
        try
        {
            using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
            impatient.CancelAfter(TimeSpan.FromSeconds(1));
            var started = Stopwatch.GetTimestamp();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work.Queue.SendAsync([work.NewTask()], impatient.Token));
            Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.5, 2.5);

            var patient = work.Queue.SendAsync([work.NewTask(), work.NewTask()], Token);
            await Task.Delay(TimeSpan.FromSeconds(2), Token);
            Assert.False(patient.IsCompleted);
            await SetAlarmAsync("disk", false);
            var outcomes = await patient.WaitAsync(TimeSpan.FromSeconds(10), Token);
            Assert.All(outcomes, outcome => Assert.Equal(SendResult.Sent, outcome.Result));
            work.Confirm(outcomes);
        }
        finally
        {
            await SetAlarmAsync("disk", false);
        }
        work.Report("alarm while sending", await work.FinishAsync());
    }

    [Theory]
    [InlineData("disk")]
    [InlineData("memory")]
    public async Task Alarm_WhoLooks_SeesAllThatThereIs(string kind)
    {
        await using var work = new Workload(Server, s_lease) { Hold = _ => s_lease };
        await work.JoinAsync("a", 2);
        await work.SendAsync(5);
        await work.StartedAsync(2);
        await SetAlarmAsync(kind, true);
        try
        {
            // One who has looked before the alarm, and one who has not.
            await using var fresh = TaskQueues.Open(work.Address, new QueueOptions { LeaseTime = s_lease });
            foreach (var queue in (ITaskQueue[])[work.Queue, fresh, fresh])
            {
                var started = Stopwatch.GetTimestamp();
                var tasks = await queue.GetTasksAsync(new TaskQuery(), Token).ToListAsync(Token);
                Assert.Equal((5, 2), (tasks.Count, tasks.Count(task => task.Node == "a")));
                Assert.Equal("a", Assert.Single(await queue.GetNodesAsync(Token)).Name);
                Assert.Equal(3, (await queue.GetInfoAsync(Token)).Ready);
                Assert.Equal(5, await queue.ReadEventsAsync(new EventQuery(), Token).CountAsync(happened => happened.Kind == QueueEventKind.TaskSent, Token));
                Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 15);
            }
        }
        finally
        {
            await SetAlarmAsync(kind, false);
        }
        work.Report($"{kind} alarm, and somebody looks", await work.FinishAsync());
    }

    [Fact]
    public async Task Alarm_LongerThanPatience_SaysThatNobodyKnows()
    {
        await using var work = new Workload(Server, s_lease);
        await work.SendAsync(1);
        await SetAlarmAsync("disk", true);
        try
        {
            var started = Stopwatch.GetTimestamp();
            var outcome = Assert.Single(await work.Queue.SendAsync([work.NewTask()], Token));
            Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 10, 40);
            Assert.Equal(SendResult.Unknown, outcome.Result);
            Assert.Contains("takes no messages at present", outcome.Message, StringComparison.Ordinal);
        }
        finally
        {
            await SetAlarmAsync("disk", false);
        }
        await work.JoinAsync("a", 2);
        work.Report("alarm for longer than a sender waits", await work.FinishAsync());
    }

    private Task SetAlarmAsync(string kind, bool on) => kind == "disk" ? Server.SetDiskAlarmAsync(on) : Server.SetMemoryAlarmAsync(on);
}
