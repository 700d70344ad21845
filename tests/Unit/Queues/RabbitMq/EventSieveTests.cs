using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

public sealed class EventSieveTests
{
    private readonly EventSieve _sieve = new(TimeProvider.System, QueueOptions.DefaultRetention);

    [Fact]
    public void Passes_WhatTheLoserOfATaskSays_IsPassedOver()
    {
        Assert.True(_sieve.Passes(Sent()));
        Assert.True(_sieve.Passes(Claimed("one", 1)));
        Assert.True(_sieve.Passes(Lost("one", 1)));
        Assert.False(_sieve.Passes(Lost("one", 1)));
        Assert.True(_sieve.Passes(Claimed("two", 2)));
        Assert.False(_sieve.Passes(Progressed("one", 1)));
        Assert.True(_sieve.Passes(Progressed("two", 2)));
        Assert.False(_sieve.Passes(Ended("one", 1)));
        Assert.True(_sieve.Passes(Ended("two", 2)));
        Assert.False(_sieve.Passes(Lost("two", 2)));
        Assert.False(_sieve.Passes(Ended("one", 1)));
    }

    [Fact]
    public void Passes_ReaderThatBeginsInTheMiddleOfATask_MissesNothing()
    {
        Assert.True(_sieve.Passes(Progressed("one", 3)));
        Assert.True(_sieve.Passes(Progressed("one", 3)));
        Assert.True(_sieve.Passes(Lost("one", 3)));
        Assert.True(_sieve.Passes(Claimed("two", 4)));
        Assert.False(_sieve.Passes(Progressed("one", 3)));
        Assert.True(_sieve.Passes(Ended("two", 4)));
    }

    [Fact]
    public void Passes_ReaderThatBeginsWithAnOldWord_HearsTheEndAllTheSame()
    {
        Assert.True(_sieve.Passes(Progressed("one", 1)));
        Assert.True(_sieve.Passes(Ended("two", 2)));
    }

    [Fact]
    public void Passes_ReaderThatBeginsWithAnOldEnd_HearsTheOther()
    {
        Assert.True(_sieve.Passes(Ended("one", 1)));
        Assert.True(_sieve.Passes(Progressed("two", 2)));
        Assert.True(_sieve.Passes(Ended("two", 2)));
    }

    [Fact]
    public void Passes_ReaderThatBeginsWithACancelThatCameTooLate_HearsTheEnd()
    {
        Assert.True(_sieve.Passes(Entry(LogEntryKind.CancelRequested, null, null) with { State = TaskState.Running }));
        Assert.True(_sieve.Passes(Ended("one", 1)));
    }

    [Fact]
    public void Passes_NodeOfWhichTheJoiningWasNotRead_IsHeard()
    {
        var left = new LogEntry { Kind = LogEntryKind.NodeLeft, Time = TimeProvider.System.GetUtcNow(), Node = "one", Session = "s" };
        Assert.True(_sieve.Passes(left));
    }

    private static LogEntry Sent() => Entry(LogEntryKind.TaskSent, null, null) with { Priority = 4, State = TaskState.Queued };

    private static LogEntry Claimed(string node, long claim) => Entry(LogEntryKind.TaskClaimed, node, claim) with { State = TaskState.Initializing };

    private static LogEntry Progressed(string node, long claim) => Entry(LogEntryKind.TaskProgressed, node, claim) with { State = TaskState.Running };

    private static LogEntry Lost(string node, long claim) => Entry(LogEntryKind.TaskLost, node, claim) with { State = TaskState.Queued };

    private static LogEntry Ended(string node, long claim) => Entry(LogEntryKind.TaskEnded, node, claim) with { State = TaskState.Complete };

    private static LogEntry Entry(LogEntryKind kind, string? node, long? claim) =>
        new() { Kind = kind, Time = TimeProvider.System.GetUtcNow(), Task = "a", Node = node, Session = node, Claim = claim };
}
