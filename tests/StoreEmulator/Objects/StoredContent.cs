namespace Sisyphus.Tests.StoreEmulator.Objects;

/// <summary>Bytes of an object, in pieces; those of zeros take no memory.</summary>
internal sealed class StoredContent
{
    private readonly List<(int Length, byte[]? Bytes)> _pieces = [];

    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
            return;
        _pieces.Add((bytes.Length, bytes.ContainsAnyExcept((byte)0) ? bytes.ToArray() : null));
        Length += bytes.Length;
    }

    public void Append(StoredContent other)
    {
        _pieces.AddRange(other._pieces);
        Length += other.Length;
    }

    public StoredContent Slice(long offset, long length)
    {
        var slice = new StoredContent();
        foreach (var piece in Range(offset, length))
            slice.Append(piece.Span);
        return slice;
    }

    public byte[] ToArray()
    {
        var all = new byte[Length];
        var at = 0;
        foreach (var piece in Range(0, Length))
        {
            piece.Span.CopyTo(all.AsSpan(at));
            at += piece.Length;
        }
        return all;
    }

    /// <summary>A part of the bytes, in pieces.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Range(long offset, long length)
    {
        byte[]? zeros = null;
        foreach (var (size, bytes) in _pieces)
        {
            if (length <= 0)
                yield break;
            if (offset >= size)
            {
                offset -= size;
                continue;
            }
            var count = (int)Math.Min(length, size - offset);
            if (bytes is null && (zeros is null || zeros.Length < size))
                zeros = new byte[size];
            yield return (bytes ?? zeros).AsMemory((int)offset, count);
            length -= count;
            offset = 0;
        }
    }
}
