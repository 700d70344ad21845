using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>The latest lines of one attempt that are not sent yet. Whoever writes never waits: the oldest make room.</summary>
internal sealed class OutputBuffer(string taskId, Func<string, bool> isWanted, Action filled, TimeProvider time)
{
    public const int MaxLines = 1000;
    /// <summary>Characters, and what a line costs beside them.</summary>
    public const int MaxSize = 64 * 1024;
    private const int LineCost = 32;
    private const double SizePerSecond = 64 * 1024;

    private readonly Queue<OutputText> _lines = [];
    private readonly Lock _gate = new();
    private readonly long _source = Random.Shared.NextInt64(1, long.MaxValue);
    private int _size;
    private long _written;
    /// <summary>Number of the line that would be the next to be sent, were none dropped.</summary>
    private long _next = 1;
    private double _credit = MaxSize;
    private long _credited = time.GetTimestamp();
    private bool _isClosed;

    public string TaskId => taskId;

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _lines.Count == 0;
        }
    }

    public void Add(DateTimeOffset when, OutputStream stream, string line)
    {
        var text = new OutputText(when, stream, line.Length > OutputLine.MaxLength ? line[..OutputLine.MaxLength] : line);
        lock (_gate)
        {
            if (_isClosed)
                return;
            _written++;
            if (!isWanted(taskId))
            {
                Forget();
                return;
            }
            _lines.Enqueue(text);
            _size += Cost(text);
            while (_lines.Count > MaxLines || _size > MaxSize)
                _size -= Cost(_lines.Dequeue());
            if (_lines.Count > 1)
                return;
        }
        filled();
    }

    /// <summary>What may be sent now.</summary>
    public OutputBatch? Take()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            _credit = Math.Min(MaxSize, _credit + (time.GetElapsedTime(_credited, now).TotalSeconds * SizePerSecond));
            _credited = now;
            return _isClosed || _lines.Count == 0 || Cost(_lines.Peek()) > _credit ? null : Take(isLast: false);
        }
    }

    /// <summary>The rest; no more will come.</summary>
    /// <returns>Null when it was closed before.</returns>
    public OutputBatch? Close()
    {
        lock (_gate)
        {
            if (_isClosed)
                return null;
            _isClosed = true;
            return Take(isLast: true);
        }
    }

    private OutputBatch Take(bool isLast)
    {
        var first = _written - _lines.Count + 1;
        var dropped = first - _next;
        List<OutputText> taken = [];
        while (_lines.TryPeek(out var line) && (isLast || Cost(line) <= _credit))
        {
            _lines.Dequeue();
            _size -= Cost(line);
            _credit -= Cost(line);
            taken.Add(line);
        }
        _next = first + taken.Count;
        return new OutputBatch(taskId, _source, first, dropped, isLast, [.. taken]);
    }

    private void Forget()
    {
        _lines.Clear();
        _size = 0;
        _next = _written + 1;
    }

    private static int Cost(OutputText line) => line.Line.Length + LineCost;
}
