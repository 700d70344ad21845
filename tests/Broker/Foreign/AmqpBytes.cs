using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Sisyphus.Tests.Broker.Foreign;

/// <summary>Fields as AMQP 0-9-1, 4.2.5 writes them, one after the other.</summary>
internal sealed class AmqpBytes
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    public AmqpBytes Octet(byte value)
    {
        _bytes.Write([value]);
        return this;
    }

    public AmqpBytes Short(int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)value));
        return Raw(bytes);
    }

    public AmqpBytes Long(long value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, checked((uint)value));
        return Raw(bytes);
    }

    public AmqpBytes LongLong(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return Raw(bytes);
    }

    public AmqpBytes ShortString(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        return Octet(checked((byte)bytes.Length)).Raw(bytes);
    }

    public AmqpBytes LongString(ReadOnlySpan<byte> value) => Long(value.Length).Raw(value);

    public AmqpBytes Raw(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }
}
