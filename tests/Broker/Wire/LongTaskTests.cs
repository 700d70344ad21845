using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>A task that runs for longer than the event stream is kept is not forgotten for that.</summary>
public sealed class LongTaskTests(BrokerFixture fixture) : WireTest(fixture)
{
    protected override QueueOptions Options => new() { LeaseTime = TimeSpan.FromMinutes(1) };

    [Fact]
    public async Task Renew_AfterHalfTheRetention_TellsAgainWhoHasTheTask()
    {
        var clock = new ShiftedClock();
        await using var queue = TaskQueues.Open(Address.ToString(), Options, clock);
        await using var session = await JoinAsync(queue: queue);
        await PublishAsync(Main, GoodDocument);
        var task = await ClaimAsync(session);
        await task.ReportAsync(TaskState.Running, Token);
        Assert.Equal(LeaseState.Held, await task.RenewAsync(Token));
        var before = await EntriesAsync();

        clock.Shift = Options.Retention * 0.6;
        Assert.Equal(LeaseState.Held, await task.RenewAsync(Token));
        Assert.Equal(LeaseState.Held, await task.RenewAsync(Token));
        var again = Assert.Single((await EntriesAsync()).Skip(before.Count), entry => entry.Task == "good");

        // Nothing that anybody would see who knows of the first.
        var knowing = new Board(clock, Options.Retention);
        foreach (var entry in before)
            knowing.Apply(entry);
        Assert.False(knowing.Apply(again));
        AssertRuns(again);
        // Of the first claim its progress may be left, and nothing else.
        AssertRuns(before.Single(entry => entry.Kind == LogEntryKind.TaskProgressed));
        Assert.True(await task.CompleteAsync(Complete(), Token));
    }

    /// <summary>To who reads this alone.</summary>
    private static void AssertRuns(LogEntry entry)
    {
        var board = new Board(TimeProvider.System, QueueOptions.DefaultRetention);
        Assert.True(board.Apply(entry));
        var known = board.Find("good")!;
        Assert.Equal((true, 1, TaskState.Running, "node-1"), (known.IsHeld, known.Claims, known.Summary.State, known.Summary.Node));
    }

    private async Task<List<LogEntry>> EntriesAsync()
    {
        List<LogEntry> entries = [];
        await foreach (var (_, entry) in new EventLog(((RabbitMqTaskQueue)Queue).Parts).ReadAsync(0, follow: false, Token))
            entries.Add(entry);
        return entries;
    }
}
