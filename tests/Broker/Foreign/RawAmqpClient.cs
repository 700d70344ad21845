using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Sisyphus.Tests.Broker.Foreign;

/// <summary>The least that sends a message: AMQP 0-9-1 byte by byte over a socket, without any client library. One channel, no heartbeats.</summary>
internal sealed class RawAmqpClient : IAsyncDisposable
{
    private const byte MethodFrame = 1;
    private const byte HeaderFrame = 2;
    private const byte BodyFrame = 3;
    private const byte HeartbeatFrame = 8;
    private const byte FrameEnd = 0xCE;
    private const int FrameOverhead = 8;
    private const int BasicClass = 60;
    private const int Channel = 1;

    private static readonly (int Class, int Method) ConnectionStart = (10, 10), ConnectionStartOk = (10, 11), ConnectionTune = (10, 30), ConnectionTuneOk = (10, 31),
        ConnectionOpen = (10, 40), ConnectionOpenOk = (10, 41), ConnectionClose = (10, 50), ConnectionCloseOk = (10, 51),
        ChannelOpen = (20, 10), ChannelOpenOk = (20, 11), ChannelClose = (20, 40), ChannelCloseOk = (20, 41), BasicPublish = (BasicClass, 40);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private int _frameMax;

    private RawAmqpClient(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    /// <summary>Connects with the user, password and virtual host of an amqp address, and opens a channel.</summary>
    public static async Task<RawAmqpClient> ConnectAsync(Uri broker, CancellationToken cancellationToken)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync(broker.Host, broker.Port, cancellationToken);
        var client = new RawAmqpClient(tcp);
        try
        {
            await client.OpenAsync(broker, cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when it is written; <see cref="CloseAsync"/> learns what the broker thought of it.</summary>
    public async Task PublishAsync(string exchange, string routingKey, ReadOnlyMemory<byte> body, RawProperties properties, CancellationToken cancellationToken)
    {
        await SendAsync(Channel, BasicPublish, new AmqpBytes().Short(0).ShortString(exchange).ShortString(routingKey).Octet(0), cancellationToken);
        var header = new AmqpBytes().Short(BasicClass).Short(0).LongLong(body.Length);
        properties.WriteTo(header);
        await SendFrameAsync(HeaderFrame, Channel, header.ToArray(), cancellationToken);
        while (body.Length > 0)
        {
            var part = body[..Math.Min(body.Length, _frameMax - FrameOverhead)];
            await SendFrameAsync(BodyFrame, Channel, part, cancellationToken);
            body = body[part.Length..];
        }
    }

    /// <summary>Closes channel and connection. The broker answers in order, so everything published before is in its queue by then.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        var farewell = new AmqpBytes().Short(200).ShortString("bye").Short(0).Short(0);
        await SendAsync(Channel, ChannelClose, farewell, cancellationToken);
        await ReceiveAsync(ChannelCloseOk, cancellationToken);
        await SendAsync(0, ConnectionClose, farewell, cancellationToken);
        await ReceiveAsync(ConnectionCloseOk, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _client.Dispose();
    }

    private async Task OpenAsync(Uri broker, CancellationToken cancellationToken)
    {
        var account = broker.UserInfo.Split(':').Select(Uri.UnescapeDataString).ToArray();
        var virtualHost = broker.AbsolutePath.Length > 1 ? Uri.UnescapeDataString(broker.AbsolutePath[1..]) : "/";
        await _stream.WriteAsync(new byte[] { (byte)'A', (byte)'M', (byte)'Q', (byte)'P', 0, 0, 9, 1 }, cancellationToken);
        await ReceiveAsync(ConnectionStart, cancellationToken);
        var plain = Encoding.UTF8.GetBytes($"\0{account[0]}\0{account[1]}");
        await SendAsync(0, ConnectionStartOk, new AmqpBytes().Long(0).ShortString("PLAIN").LongString(plain).ShortString("en_US"), cancellationToken);
        var tune = await ReceiveAsync(ConnectionTune, cancellationToken);
        var channelMax = BinaryPrimitives.ReadUInt16BigEndian(tune);
        _frameMax = BinaryPrimitives.ReadInt32BigEndian(tune.AsSpan(2));
        await SendAsync(0, ConnectionTuneOk, new AmqpBytes().Short(channelMax).Long(_frameMax).Short(0), cancellationToken);
        await SendAsync(0, ConnectionOpen, new AmqpBytes().ShortString(virtualHost).ShortString("").Octet(0), cancellationToken);
        await ReceiveAsync(ConnectionOpenOk, cancellationToken);
        await SendAsync(Channel, ChannelOpen, new AmqpBytes().ShortString(""), cancellationToken);
        await ReceiveAsync(ChannelOpenOk, cancellationToken);
    }

    private Task SendAsync(int channel, (int Class, int Method) method, AmqpBytes arguments, CancellationToken cancellationToken) =>
        SendFrameAsync(MethodFrame, channel, new AmqpBytes().Short(method.Class).Short(method.Method).Raw(arguments.ToArray()).ToArray(), cancellationToken);

    private async Task SendFrameAsync(byte type, int channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        await _stream.WriteAsync(new AmqpBytes().Octet(type).Short(channel).Long(payload.Length).Raw(payload.Span).Octet(FrameEnd).ToArray(), cancellationToken);

    /// <returns>The method's arguments.</returns>
    private async Task<byte[]> ReceiveAsync((int Class, int Method) expected, CancellationToken cancellationToken)
    {
        while (true)
        {
            var head = new byte[7];
            await _stream.ReadExactlyAsync(head, cancellationToken);
            var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(3)) + 1];
            await _stream.ReadExactlyAsync(payload, cancellationToken);
            if (payload[^1] != FrameEnd)
                throw new InvalidDataException("A frame does not end where it says.");
            if (head[0] == HeartbeatFrame)
                continue;
            var method = ((int Class, int Method))(BinaryPrimitives.ReadUInt16BigEndian(payload), BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(2)));
            if (method == expected)
                return payload[4..^1];
            if (method == ConnectionClose || method == ChannelClose)
                throw new InvalidOperationException($"The broker closes: {BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(4))} {Encoding.UTF8.GetString(payload, 7, payload[6])}");
            throw new InvalidDataException($"The broker sent {method} where {expected} was to come.");
        }
    }
}
