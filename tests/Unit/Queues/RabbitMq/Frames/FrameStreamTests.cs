using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Sisyphus.Engine.Queues.RabbitMq.Connections.Frames;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq.Frames;

public sealed class FrameStreamTests : IDisposable
{
    private readonly Socket _broker;
    private readonly Socket _client = new(SocketType.Stream, ProtocolType.Tcp);

    public FrameStreamTests()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _client.Connect(listener.LocalEndpoint);
        _broker = listener.AcceptSocket();
        _broker.NoDelay = true;
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _broker.Dispose();
        _client.Dispose();
    }

    [Theory, InlineData(1, 100), InlineData(7, 1000), InlineData(4096, 10_000), InlineData(1 << 20, 10_000)]
    public async Task Read_FramesInPieces_OnlyHeadersAreMended(int piece, int depth)
    {
        var header = HeaderBytes.Message(HeaderBytes.Table([("deep", HeaderBytes.Nested('A', depth))]));
        var mended = (byte[])header.Clone();
        ContentHeader.Mend(mended);
        Assert.NotEqual(header, mended);
        // A method and a body that look like headers are none.
        byte[][] others = [Frame(1, header), Frame(3, header), Frame(8, []), Frame(3, []), Frame(2, HeaderBytes.Message(HeaderBytes.Table())), Frame(3, new byte[depth * 10])];
        byte[] sent = [.. others.SelectMany(frame => (byte[])[.. frame, .. Frame(2, header)])];
        byte[] expected = [.. others.SelectMany(frame => (byte[])[.. frame, .. Frame(2, mended)])];
        Assert.Equal(expected, await PassAsync(sent, piece));
    }

    [Theory, InlineData("HTTP/1.1 400 Bad Request\r\n\r\n"), InlineData("AMQP\0\0\u0009\u0001")]
    public async Task Read_SomethingElseThanFrames_PassesAsItIs(string said)
    {
        var bytes = System.Text.Encoding.Latin1.GetBytes(said);
        Assert.Equal(bytes, await PassAsync(bytes, 5));
    }

    [Fact]
    public async Task Read_TheConnectionEndsWithinAFrame_IsItsEnd()
    {
        var header = Frame(2, HeaderBytes.Message(HeaderBytes.Table([("a", HeaderBytes.Text("b"))])));
        Assert.Empty(await PassAsync(header[..^5], 1000));
    }

    [Fact]
    public async Task Write_AnyBytes_PassAsTheyAre()
    {
        await using var stream = new FrameStream(_client, new NetworkStream(_client));
        var bytes = Frame(2, HeaderBytes.Message(HeaderBytes.Table([("deep", HeaderBytes.Nested('A', 1000))])));
        await stream.WriteAsync(bytes, Token);
        await stream.FlushAsync(Token);
        var received = new byte[bytes.Length];
        await using var broker = new NetworkStream(_broker);
        await broker.ReadExactlyAsync(received, Token);
        Assert.Equal(bytes, received);
    }

    /// <returns>What comes of the bytes, written in pieces, until their end.</returns>
    private async Task<byte[]> PassAsync(byte[] bytes, int piece)
    {
        await using var stream = new FrameStream(_client, new NetworkStream(_client));
        var writing = Task.Run(
            () =>
            {
                for (var at = 0; at < bytes.Length; at += piece)
                    _broker.Send(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
                _broker.Shutdown(SocketShutdown.Send);
            },
            Token);
        using var read = new MemoryStream();
        await stream.CopyToAsync(read, 1000, Token);
        await writing;
        return read.ToArray();
    }

    private static byte[] Frame(byte type, byte[] payload)
    {
        var frame = new byte[7 + payload.Length + 1];
        frame[0] = type;
        frame[2] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(3), (uint)payload.Length);
        payload.CopyTo(frame, 7);
        frame[^1] = 0xCE;
        return frame;
    }
}
