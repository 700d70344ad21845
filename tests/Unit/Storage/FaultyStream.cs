namespace Sisyphus.Tests.Unit.Storage;

/// <summary>Content of unknown length, in small pieces, that breaks where it is told to.</summary>
internal sealed class FaultyStream(byte[] content, int chunk = 64 * 1024, int? failAt = null, Action<int>? onRead = null) : Stream
{
    private int _position;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        onRead?.Invoke(_position);
        if (_position >= failAt)
            throw new InvalidOperationException("The content broke.");
        var read = Math.Min(Math.Min(chunk, count), Math.Min(content.Length, failAt ?? int.MaxValue) - _position);
        content.AsSpan(_position, read).CopyTo(buffer.AsSpan(offset));
        _position += read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
