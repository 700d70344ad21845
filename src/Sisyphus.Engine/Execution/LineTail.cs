namespace Sisyphus.Engine.Execution;

/// <summary>The last lines of a stream.</summary>
internal sealed class LineTail(int capacity)
{
    private readonly Queue<string> _lines = new();

    public void Add(string line)
    {
        if (capacity == 0)
            return;
        if (_lines.Count == capacity)
            _lines.Dequeue();
        _lines.Enqueue(line);
    }

    public override string ToString() => string.Join('\n', _lines);
}
