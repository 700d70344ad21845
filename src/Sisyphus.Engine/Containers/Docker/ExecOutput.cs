using System.Text;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Standard output of an exec. The engine writes there, in the program's place, why it could not start the program: what looks like that is held back until it is known who wrote it.</summary>
internal sealed class ExecOutput(Stream sink) : Stream
{
    // Longer than any such sentence.
    private const int Limit = 16 << 10;
    private static readonly byte[] Prefix = Encoding.ASCII.GetBytes(StartErrors.ExecPrefix);

    private MemoryStream? _held = new();

    /// <summary>The complete output when all of it looks like the engine's complaint, else null.</summary>
    public string? Held => _held is { Length: var length } held && length >= Prefix.Length ? Encoding.UTF8.GetString(held.GetBuffer(), 0, (int)length).Trim() : null;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_held is { } held)
        {
            held.Write(buffer.Span);
            var start = held.GetBuffer().AsSpan(0, (int)Math.Min(held.Length, Prefix.Length));
            if (Prefix.AsSpan().StartsWith(start) && held.Length <= Limit)
                return;
            await ReleaseAsync(cancellationToken).ConfigureAwait(false);
            return;
        }
        await sink.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>It was the program after all.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        if (_held is not { } held)
            return;
        _held = null;
        if (held.Length > 0)
            await sink.WriteAsync(held.GetBuffer().AsMemory(0, (int)held.Length), cancellationToken).ConfigureAwait(false);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}
