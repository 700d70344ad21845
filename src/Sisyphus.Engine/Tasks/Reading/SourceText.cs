using System.Text;

namespace Sisyphus.Engine.Tasks.Reading;

/// <summary>JSON text in UTF-8, and where in it a byte is for a person.</summary>
internal sealed class SourceText(ReadOnlyMemory<byte> bytes)
{
    private int _lineStart;
    private int _line = 1;
    private int _known;
    private int _column = 1;

    internal ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <summary>1-based line and column in UTF-16 code units. Cheap for positions that ascend, as errors mostly do.</summary>
    internal (int Line, int Column) Locate(int offset)
    {
        if (offset < _known)
            (_lineStart, _line, _known, _column) = (0, 1, 0, 1);
        var ahead = Bytes.Span[_known..offset];
        var newlines = ahead.Count((byte)'\n');
        if (newlines > 0)
        {
            _line += newlines;
            _lineStart = _known + ahead.LastIndexOf((byte)'\n') + 1;
            (_known, _column) = (_lineStart, 1);
        }
        _column += Encoding.UTF8.GetCharCount(Bytes.Span[_known..offset]);
        _known = offset;
        return (_line, _column);
    }

    /// <summary>The offset of a position as <see cref="System.Text.Json.JsonException"/> gives it: both 0-based, the second in bytes.</summary>
    internal int OffsetOf(long line, long byteInLine)
    {
        var start = 0;
        for (; line > 0; line--)
            start += Bytes.Span[start..].IndexOf((byte)'\n') + 1;
        return (int)Math.Min(start + byteInLine, Bytes.Length);
    }
}
