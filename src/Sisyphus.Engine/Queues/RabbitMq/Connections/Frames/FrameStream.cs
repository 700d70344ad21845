using System.Buffers.Binary;
using System.Net.Sockets;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections.Frames;

/// <summary>A connection whose content headers the client can read, whatever was sent (<see cref="ContentHeader"/>). All else passes as it came.</summary>
/// <remarks>A frame is its type, its channel, the size of what it has, that, and an octet that ends it (AMQP 0.9.1, 2.3.5). The client's interface wants a <see cref="NetworkStream"/>, and reads and writes this one only as it is done here.</remarks>
/// <param name="inner">What the frames go over: the socket, or TLS on it. It is disposed with this.</param>
internal sealed class FrameStream(Socket socket, Stream inner) : NetworkStream(socket, ownsSocket: false)
{
    private const int FrameHead = 7;
    private const int FrameEnd = 1;
    private const byte HeaderType = 2;
    private const byte HeartbeatType = 8;
    /// <summary>Above this the client refuses a frame itself.</summary>
    private const uint MaxHeader = 64 << 20;
    private const int UsualSize = 32 << 10;

    private byte[] _buffer = new byte[UsualSize];
    /// <summary>From the start to here what was looked at and may be read; behind it, up to the end, what is not complete yet.</summary>
    private int _start;
    private int _ready;
    private int _end;
    /// <summary>What is still to come of a frame that passes as it is.</summary>
    private long _passing;
    /// <summary>It is something else than AMQP, which is the client's to refuse.</summary>
    private bool _isForeign;

    public override int ReadTimeout
    {
        get => inner.ReadTimeout;
        set => inner.ReadTimeout = value;
    }

    public override int WriteTimeout
    {
        get => inner.WriteTimeout;
        set => inner.WriteTimeout = value;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_ready == _start)
        {
            MakeRoom();
            var read = await inner.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return 0;
            _end += read;
            Advance();
        }
        var length = Math.Min(buffer.Length, _ready - _start);
        _buffer.AsMemory(_start, length).CopyTo(buffer);
        _start += length;
        return length;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Called when all that is ready was read.</summary>
    private void MakeRoom()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _ready, _end) = (0, 0, _end - _start);
        var wanted = Math.Max(UsualSize, _end >= FrameHead ? FrameHead + (int)Size(0) : 0);
        if (_buffer.Length < wanted || _buffer.Length > Math.Max(wanted, UsualSize))
            Array.Resize(ref _buffer, wanted);
    }

    private void Advance()
    {
        while (_ready < _end)
        {
            if (_isForeign || _passing > 0)
            {
                var passes = _isForeign ? _end - _ready : (int)Math.Min(_passing, _end - _ready);
                _ready += passes;
                _passing -= passes;
            }
            else if (_buffer[_ready] is 0 or > HeartbeatType)
            {
                _isForeign = true;
            }
            else if (_end - _ready < FrameHead)
            {
                return;
            }
            else if (_buffer[_ready] == HeaderType && Size(_ready) <= MaxHeader)
            {
                var size = (int)Size(_ready);
                if (_end - _ready < FrameHead + size)
                    return;
                ContentHeader.Mend(_buffer.AsSpan(_ready + FrameHead, size));
                _ready += FrameHead + size;
                _passing = FrameEnd;
            }
            else
            {
                _passing = FrameHead + (long)Size(_ready) + FrameEnd;
            }
        }
    }

    private uint Size(int frame) => BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(frame + 3));
}
