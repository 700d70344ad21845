using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public sealed class OutputBufferTests
{
    private readonly SetClock _clock = new();
    private bool _isWanted = true;
    private int _filled;
    private int _written;

    [Fact]
    public void Take_NobodyReads_GivesNothing()
    {
        _isWanted = false;
        var buffer = Buffer();
        Add(buffer, 3);
        Assert.Null(buffer.Take());
        Assert.Equal(0, _filled);
    }

    [Fact]
    public void Take_AfterAWhileWithoutReaders_TellsWhereItGoesOn()
    {
        var buffer = Buffer();
        Add(buffer, 2);
        Assert.Equal((1, 0, 2), Shape(buffer.Take()));
        _isWanted = false;
        Add(buffer, 5);
        _isWanted = true;
        Add(buffer, 1);
        Assert.Equal((8, 0, 1), Shape(buffer.Take()));
    }

    [Fact]
    public void Add_TheReaderLeaves_ForgetsWhatWaits()
    {
        var buffer = Buffer();
        Add(buffer, 2);
        _isWanted = false;
        Add(buffer, 1);
        Assert.True(buffer.IsEmpty);
    }

    [Fact]
    public void Add_MoreThanFits_LeavesOutTheOldest()
    {
        var buffer = Buffer();
        Add(buffer, OutputBuffer.MaxLines + 10);
        var batch = buffer.Close();
        Assert.Equal((11, 10, OutputBuffer.MaxLines), Shape(batch));
        Assert.Equal("1010", batch!.Lines[^1].Line);
    }

    [Fact]
    public void Add_LongLines_AreBoundedTogether()
    {
        var buffer = Buffer();
        for (var i = 0; i < 100; i++)
            buffer.Add(_clock.GetUtcNow(), OutputStream.StandardOutput, new string('x', 1 << 20));
        Assert.InRange(buffer.Close()!.Lines.Sum(line => line.Line.Length), OutputLine.MaxLength, OutputBuffer.MaxSize);
    }

    [Fact]
    public void Take_FastTask_GivesNoMoreThanItsShareOfASecond()
    {
        var buffer = Buffer();
        var sent = 0;
        for (var tenth = 0; tenth < 100; tenth++)
        {
            for (var i = 0; i < 100; i++)
                buffer.Add(_clock.GetUtcNow(), OutputStream.StandardOutput, new string('x', 1000));
            sent += buffer.Take()?.Lines.Sum(line => line.Line.Length) ?? 0;
            _clock.Advance(TimeSpan.FromMilliseconds(100));
        }
        Assert.InRange(sent, 9 * 60 * 1024, 11 * 64 * 1024);
    }

    [Fact]
    public void Close_Again_GivesNothingAndTakesNothing()
    {
        var buffer = Buffer();
        Add(buffer, 1);
        Assert.True(buffer.Close()!.IsLast);
        Add(buffer, 1);
        Assert.Null(buffer.Close());
        Assert.Null(buffer.Take());
    }

    [Fact]
    public void Gaps_BatchesLostAndTwice_AreCountedAndLeftOut()
    {
        var buffer = Buffer();
        var gaps = new OutputGaps();
        Add(buffer, 3);
        var first = buffer.Take()!;
        Add(buffer, 4);
        _ = buffer.Take();
        Add(buffer, 2);
        var last = buffer.Take()!;
        Assert.Equal([("1", 0L), ("2", 0), ("3", 0)], gaps.Read(first).Select(line => (line.Line, line.Dropped)));
        Assert.Empty(gaps.Read(first));
        Assert.Equal([("8", 4L), ("9", 0)], gaps.Read(last).Select(line => (line.Line, line.Dropped)));
    }

    private static (long First, long Dropped, int Lines) Shape(OutputBatch? batch) => (batch!.First, batch.Dropped, batch.Lines.Length);

    private OutputBuffer Buffer() => new("a", _ => _isWanted, () => _filled++, _clock);

    private void Add(OutputBuffer buffer, int count)
    {
        for (var i = 0; i < count; i++)
            buffer.Add(_clock.GetUtcNow(), OutputStream.StandardOutput, $"{++_written}");
    }

    private sealed class SetClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(_now);

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}
