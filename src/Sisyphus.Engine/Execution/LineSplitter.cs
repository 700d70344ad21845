using System.Text;

namespace Sisyphus.Engine.Execution;

/// <summary>Turns the bytes of one stream into lines: UTF-8 across chunk borders, at most a number of characters a line.</summary>
/// <remarks>A carriage return at the end of a line is dropped; inside it stays, so that progress bars of programs remain one line.</remarks>
internal sealed class LineSplitter(int maxLineLength)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _line = new();
    private readonly char[] _chars = new char[4096];
    private bool _any;

    /// <summary>Decodes a chunk; yields every line that it ends.</summary>
    public IEnumerable<string> Add(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            _decoder.Convert(bytes.Span, _chars, flush: false, out var used, out var count, out _);
            bytes = bytes[used..];
            var start = 0;
            while (start < count)
            {
                var end = Array.IndexOf(_chars, '\n', start, count - start);
                Append(start, (end < 0 ? count : end) - start);
                if (end < 0)
                    break;
                yield return Take();
                start = end + 1;
            }
        }
    }

    /// <summary>The last line, when the stream did not end with a line end.</summary>
    public string? End() => _any ? Take() : null;

    private void Append(int start, int length)
    {
        _any = true;
        var room = maxLineLength - _line.Length;
        if (room > 0)
            _line.Append(_chars, start, Math.Min(room, length));
    }

    private string Take()
    {
        if (_line.Length > 0 && _line[^1] == '\r')
            _line.Length--;
        var line = _line.ToString();
        _line.Clear();
        _any = false;
        return line;
    }
}
