using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

/// <summary>The order of the stream decides: what each entry does, and what comes too late to do anything.</summary>
public sealed class BoardTests
{
    private readonly Board _board = new(TimeProvider.System, TimeSpan.FromDays(7));

    private BoardTask Task => _board.Find("t")!;

    private static LogEntry Entry(LogEntryKind kind, long? claim = null, string? session = null) =>
        new() { Kind = kind, Time = DateTimeOffset.UtcNow, Task = "t", Priority = 4, Node = session is null ? null : "node-" + session, Claim = claim, Session = session };

    private bool Apply(LogEntryKind kind, long? claim = null, string? session = null) => _board.Apply(Entry(kind, claim, session));

    private bool End(long? claim, TaskState state = TaskState.Complete) => _board.Apply(Entry(LogEntryKind.TaskEnded, claim) with { State = state });

    [Fact]
    public void Claim_SecondOfTheSameNumber_ComesTooLate()
    {
        Apply(LogEntryKind.TaskSent);
        Assert.True(Apply(LogEntryKind.TaskClaimed, 1, "a"));
        Assert.False(Apply(LogEntryKind.TaskClaimed, 1, "b"));
        Assert.Equal("a", Task.Session);
        Assert.True(Apply(LogEntryKind.TaskClaimed, 2, "b"));
        Assert.Equal(("b", 2), (Task.Session, Task.Claims));
    }

    [Theory, InlineData(nameof(LogEntryKind.TaskRetried)), InlineData(nameof(LogEntryKind.TaskReleased)), InlineData(nameof(LogEntryKind.TaskLost)), InlineData(nameof(LogEntryKind.TaskEnded))]
    public void Settle_OfAnEarlierClaim_ChangesNothing(string kind)
    {
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskClaimed, 1, "a");
        Apply(LogEntryKind.TaskClaimed, 2, "b");
        Assert.False(_board.Apply(Entry(Enum.Parse<LogEntryKind>(kind), 1, "a") with { State = TaskState.Complete }));
        Assert.Equal("b", Task.Session);
    }

    [Fact]
    public void Cancel_BeforeTheClaim_HasWon()
    {
        Apply(LogEntryKind.TaskSent);
        Assert.True(Apply(LogEntryKind.CancelRequested));
        Assert.False(Apply(LogEntryKind.TaskClaimed, 1, "a"));
        Assert.Equal((TaskState.Canceled, false), (Task.Summary.State, Task.IsEndTold));
        Assert.True(End(null, TaskState.Canceled));
        Assert.True(Task.IsEndTold);
    }

    [Theory, InlineData(nameof(LogEntryKind.TaskRetried)), InlineData(nameof(LogEntryKind.TaskReleased)), InlineData(nameof(LogEntryKind.TaskLost))]
    public void Cancel_OfARunningTaskThatComesBack_EndsItThen(string back)
    {
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskClaimed, 1, "a");
        Assert.True(Apply(LogEntryKind.CancelRequested));
        Assert.False(Apply(LogEntryKind.CancelRequested));
        Assert.True(Task.Summary.CancelRequested);
        Assert.True(Apply(Enum.Parse<LogEntryKind>(back), 1, "a"));
        Assert.Equal(TaskState.Canceled, Task.Summary.State);
    }

    [Fact]
    public void Lost_ToldTwice_IsCountedOnce()
    {
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskClaimed, 1, "a");
        Assert.True(Apply(LogEntryKind.TaskLost, 1, "a"));
        Assert.False(Apply(LogEntryKind.TaskLost, 1, "a"));
        Assert.Equal((1, TaskState.Queued, false), (Task.Summary.Losses, Task.Summary.State, Task.IsHeld));
        Assert.Equal((0, "node-a"), (Assert.Single(Task.Attempts).Number, Task.Attempts[0].Node));
    }

    [Fact]
    public void Ended_BySomebodyWhoseLeaseLapsedAndNobodyClaimed_Counts()
    {
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskClaimed, 1, "a");
        Apply(LogEntryKind.TaskLost, 1, "a");
        Assert.True(End(1));
        Assert.False(End(1));
        Assert.Equal(TaskState.Complete, Task.Summary.State);
    }

    [Fact]
    public void Resumed_EndedTask_CountsFromZeroAndItsNextClaimIsHigher()
    {
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskClaimed, 1, "a");
        End(1, TaskState.ExecutorError);
        Assert.True(Apply(LogEntryKind.TaskResumed, 1));
        Assert.Equal((TaskState.Queued, 0, 0), (Task.Summary.State, Task.Summary.Attempts, Task.Summary.Losses));
        Assert.False(Apply(LogEntryKind.TaskClaimed, 1, "late"));
        Assert.True(Apply(LogEntryKind.TaskClaimed, 2, "b"));
    }

    [Fact]
    public void Refused_AndSentAgain_WaitsAgain()
    {
        Apply(LogEntryKind.TaskSent);
        Assert.True(Apply(LogEntryKind.TaskRefused));
        Assert.Equal((TaskState.SystemError, false), (Task.Summary.State, Task.IsOver));
        Assert.True(Apply(LogEntryKind.TaskSent));
        Assert.Equal((TaskState.Queued, null, "", false), (Task.Summary.State, Task.Ended, Task.Summary.Message, Task.IsEndTold));
        Assert.True(Apply(LogEntryKind.CancelRequested));
        Assert.True(Task.IsOver);
    }

    [Fact]
    public void Refused_ButThereIsAMessage_CanBeClaimed()
    {
        // Two senders of one id: that one was refused does not undo what the other was confirmed.
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskSent);
        Apply(LogEntryKind.TaskRefused);
        Assert.True(Apply(LogEntryKind.TaskClaimed, 1, "a"));
        Assert.Equal((TaskState.Initializing, null, false), (Task.Summary.State, Task.Ended, Task.IsRefused));
        Assert.True(End(1));
        Assert.True(Task.IsOver);
    }

    [Fact]
    public void Sent_AfterItsClaim_FillsInAndChangesNoState()
    {
        Apply(LogEntryKind.TaskClaimed, 1, "a");
        Assert.True(_board.Apply(Entry(LogEntryKind.TaskSent) with { Name = "name", Image = "image" }));
        Assert.Equal(("name", "image", TaskState.Initializing), (Task.Summary.Name, Task.Summary.Image, Task.Summary.State));
        Assert.False(Apply(LogEntryKind.TaskSent));
    }

    [Fact]
    public void Kinds_OfEvents_HaveTheSameNamesAndNumbersForReaders()
    {
        // An entry becomes an event by its number.
        Assert.All(Enum.GetValues<QueueEventKind>(), kind => Assert.Equal(kind.ToString(), ((LogEntryKind)kind).ToString()));
    }
}
