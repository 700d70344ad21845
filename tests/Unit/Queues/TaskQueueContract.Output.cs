using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    [Fact]
    public async Task ReadOutput_RunningTask_GivesItsLinesWithinASecond()
    {
        var delivery = await RunningAsync("a");
        await using var lines = await ReadingAsync(Queue, delivery);
        delivery.WriteOutput(Moment, OutputStream.StandardError, "It says:\täöü €");
        var since = Stopwatch.GetTimestamp();
        Assert.True(await lines.MoveNextAsync().AsTask().WaitAsync(Patience, Token));
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(1), Stopwatch.GetElapsedTime(since).ToString());
        Assert.Equal(new OutputLine("a", Moment, OutputStream.StandardError, "It says:\täöü €"), lines.Current);
    }

    [Fact]
    public async Task ReadOutput_WhatNobodyAskedFor_IsNeverSent()
    {
        var delivery = await RunningAsync("a");
        delivery.WriteOutput(Moment, OutputStream.StandardOutput, "before");
        await Task.Delay(AWhile, Token);
        await using var lines = await ReadingAsync(Queue, delivery);
        delivery.WriteOutput(Moment, OutputStream.StandardOutput, "after");
        await delivery.CompleteAsync(Complete(), Token);
        Assert.Equal([("after", 0L)], (await RestAsync(lines)).Select(line => (line.Line, line.Dropped)));
    }

    [Fact]
    public async Task ReadOutput_TheTaskEnds_EndsWithItsLastLines()
    {
        var delivery = await RunningAsync("a");
        await using var lines = await ReadingAsync(Queue, delivery);
        for (var i = 0; i < 500; i++)
            delivery.WriteOutput(Moment, OutputStream.StandardOutput, $"line {i}");
        await delivery.RejectAsync(Failure(), Token);
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"line {i}"), (await RestAsync(lines)).Select(line => line.Line));
    }

    [Fact]
    public async Task ReadOutput_TaskThatIsTriedAgain_GoesOnWithTheNextAttempt()
    {
        var first = await RunningAsync("a");
        await using var lines = await ReadingAsync(Queue, first);
        first.WriteOutput(Moment, OutputStream.StandardOutput, "one");
        await first.RetryAsync(Failure(FailureReason.TransferFailed), Token);
        Assert.True(await lines.MoveNextAsync().AsTask().WaitAsync(Patience, Token));
        Assert.Equal("one", lines.Current.Line);
        var second = await ClaimAsync(await JoinAsync("n2"));
        await AskedAsync(second, lines);
        second.WriteOutput(Moment, OutputStream.StandardOutput, "two");
        await second.CompleteAsync(Complete(), Token);
        Assert.Equal(("two", 0), Assert.Single((await RestAsync(lines)).Select(line => (line.Line, line.Dropped))));
    }

    [Fact]
    public async Task ReadOutput_TasksThatEndedOrAreUnknown_EndsAtOnce()
    {
        await (await RunningAsync("a")).CompleteAsync(Complete(), Token);
        Assert.Empty(await ListAsync(Queue.ReadOutputAsync(["a", "unknown"], Token)).WaitAsync(Patience, Token));
    }

    [Fact]
    public async Task ReadOutput_FastTask_NeverWaitsAndTheLinesLeftOutAreCounted()
    {
        const int Count = 100_000;
        var delivery = await RunningAsync("a");
        await using var lines = await ReadingAsync(Queue, delivery);
        var since = Stopwatch.GetTimestamp();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < Count; i++)
            delivery.WriteOutput(Moment, OutputStream.StandardOutput, $"line {i} {new string('x', 100)}");
        var took = Stopwatch.GetElapsedTime(since);
        // Other tests of the process have memory of their own meanwhile; what is kept for a reader that does not read stays.
        await EventuallyAsync(() => Task.FromResult(GC.GetTotalMemory(forceFullCollection: true) - before), held => held < 8 << 20);
        await delivery.CompleteAsync(Complete(), Token);
        var read = await RestAsync(lines);
        Assert.True(took < TimeSpan.FromSeconds(2), took.ToString());
        Assert.StartsWith($"line {Count - 1} ", read[^1].Line, StringComparison.Ordinal);
        Assert.InRange(read.Count, 300, Count / 10);
        Assert.Equal(Count, read.Count + read.Sum(line => line.Dropped));
    }

    [Fact]
    public async Task ReadOutput_ReaderStopsReading_HoldsUpNobody()
    {
        var delivery = await RunningAsync("a");
        await using var stalled = await ReadingAsync(Queue, delivery);
        await using var lines = await ReadingAsync(await QueueAsync(), delivery);
        await DrainAsync(delivery, stalled);
        var written = 0;
        for (var second = 0; second < 3; second++)
        {
            for (var i = 0; i < 2000; i++)
                delivery.WriteOutput(Moment, OutputStream.StandardOutput, $"line {written++} {new string('x', 100)}");
            Assert.True(await lines.MoveNextAsync().AsTask().WaitAsync(Patience, Token));
            await Task.Delay(1000, Token);
        }
        Assert.True(await delivery.CompleteAsync(Complete(), Token).WaitAsync(TimeSpan.FromSeconds(5), Token));
        await RestAsync(lines);
        var read = await RestAsync(stalled);
        Assert.Equal(written, read.Count + read.Sum(line => line.Dropped));
        Assert.StartsWith($"line {written - 1} ", read[^1].Line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadOutput_TwoReaders_EachGetsEveryLine()
    {
        var delivery = await RunningAsync("a");
        await using var first = await ReadingAsync(Queue, delivery);
        await using var second = await ReadingAsync(await QueueAsync(), delivery);
        await DrainAsync(delivery, first, second);
        delivery.WriteOutput(Moment, OutputStream.StandardOutput, "one");
        Assert.True(await second.MoveNextAsync().AsTask().WaitAsync(Patience, Token));
        Assert.Equal("one", second.Current.Line);
        await second.DisposeAsync();
        delivery.WriteOutput(Moment, OutputStream.StandardOutput, "two");
        await delivery.CompleteAsync(Complete(), Token);
        Assert.Equal(["one", "two"], (await RestAsync(first)).Select(line => line.Line));
    }

    [Fact]
    public async Task ReadOutput_SeveralTasks_GivesTheLinesOfEach()
    {
        await SendAsync(Doc("a"), Doc("b"), Doc("c"));
        var session = await JoinAsync();
        List<IDelivery> deliveries = [await ClaimAsync(session), await ClaimAsync(session), await ClaimAsync(session)];
        await using var lines = Queue.ReadOutputAsync(["a", "c"], Token).GetAsyncEnumerator(Token);
        await AskedAsync(deliveries[0], lines);
        foreach (var delivery in deliveries)
        {
            delivery.WriteOutput(Moment, OutputStream.StandardOutput, $"of {delivery.Document.Id}");
            await delivery.CompleteAsync(Complete(), Token);
        }
        Assert.Equal(["of a", "of c"], (await RestAsync(lines)).Select(line => line.Line).Order());
    }

    [Fact]
    public async Task ReadOutput_TokenIsCanceled_Ends()
    {
        var delivery = await RunningAsync("a");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await using var lines = Queue.ReadOutputAsync(["a"], stop.Token).GetAsyncEnumerator(stop.Token);
        await AskedAsync(delivery, lines);
        var next = lines.MoveNextAsync().AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Patience, Token));
    }

    [Fact]
    public async Task ReadOutput_LongLine_IsCut()
    {
        var delivery = await RunningAsync("a");
        await using var lines = await ReadingAsync(Queue, delivery);
        delivery.WriteOutput(Moment, OutputStream.StandardOutput, new string('x', 1 << 20));
        Assert.True(await lines.MoveNextAsync().AsTask().WaitAsync(Patience, Token));
        Assert.Equal(OutputLine.MaxLength, lines.Current.Line.Length);
    }

    [Theory, InlineData(0), InlineData(101)]
    public void ReadOutput_TooFewOrTooManyTasks_IsRefused(int count) =>
        Assert.Contains("1 to 100", Assert.Throws<ArgumentException>(() => Queue.ReadOutputAsync([.. Enumerable.Range(0, count).Select(i => $"t{i}")], Token)).Message, StringComparison.Ordinal);

    private async Task<IDelivery> RunningAsync(string id)
    {
        await SendAsync(Doc(id));
        var delivery = await ClaimAsync(await JoinAsync());
        await delivery.ReportAsync(TaskState.Running, Token);
        return delivery;
    }

    /// <summary>Reads, and the node knows it.</summary>
    private static async Task<IAsyncEnumerator<OutputLine>> ReadingAsync(ITaskQueue queue, IDelivery delivery)
    {
        var lines = queue.ReadOutputAsync([delivery.Document.Id!], Token).GetAsyncEnumerator(Token);
        await AskedAsync(delivery, lines);
        return lines;
    }

    /// <summary>Writes until the reader has a line: then he is heard.</summary>
    private static async Task AskedAsync(IDelivery delivery, IAsyncEnumerator<OutputLine> lines)
    {
        var first = lines.MoveNextAsync().AsTask();
        while (!first.IsCompleted)
        {
            delivery.WriteOutput(Moment, OutputStream.StandardOutput, "");
            await Task.WhenAny(first, Task.Delay(10, Token));
        }
        Assert.True(await first);
        await DrainAsync(delivery, lines);
    }

    /// <summary>Reads all that was written so far.</summary>
    private static async Task DrainAsync(IDelivery delivery, params IAsyncEnumerator<OutputLine>[] readers)
    {
        var mark = Guid.NewGuid().ToString();
        delivery.WriteOutput(Moment, OutputStream.StandardOutput, mark);
        foreach (var lines in readers)
        {
            while (lines.Current.Line != mark)
                Assert.True(await lines.MoveNextAsync().AsTask().WaitAsync(Patience, Token));
        }
    }

    private static async Task<IReadOnlyList<OutputLine>> RestAsync(IAsyncEnumerator<OutputLine> lines)
    {
        List<OutputLine> rest = [];
        while (await lines.MoveNextAsync().AsTask().WaitAsync(Patience, Token))
            rest.Add(lines.Current);
        return rest;
    }
}
