using System.Runtime.InteropServices;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Bytes as a request's body, each piece of which is a sign of life. The SDK reads it twice where it signs the content.</summary>
internal sealed class WatchedBody : MemoryStream
{
    private readonly StallWatch _watch;

    private WatchedBody(ArraySegment<byte> bytes, StallWatch watch)
        : base(bytes.Array ?? [], bytes.Offset, bytes.Count, writable: false) => _watch = watch;

    public static WatchedBody Of(ReadOnlyMemory<byte> bytes, StallWatch watch) =>
        new(MemoryMarshal.TryGetArray(bytes, out var segment) ? segment : bytes.ToArray(), watch);

    public override int Read(Span<byte> buffer)
    {
        Moved();
        return base.Read(buffer);
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        Moved();
        return base.Read(buffer, offset, count);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Moved();
        return base.ReadAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        Moved();
        return base.ReadAsync(buffer, offset, count, cancellationToken);
    }

    private void Moved()
    {
        try
        {
            _watch.Moved();
        }
        catch (ObjectDisposedException)
        {
            // The answer came before the whole body was read, and ended the request.
        }
    }
}
