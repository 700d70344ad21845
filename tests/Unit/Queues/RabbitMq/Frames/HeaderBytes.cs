using System.Buffers.Binary;
using System.Text;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq.Frames;

/// <summary>Content headers as AMQP 0.9.1, 4.2.5 and 4.2.6 write them.</summary>
internal static class HeaderBytes
{
    /// <summary>Of a message with content type, headers, priority and id.</summary>
    public static byte[] Message(byte[] table) =>
        [0, 60, 0, 0, .. new byte[8], 0b1010_1000, 0b1000_0000, .. Short("text/plain"), .. table, 7, .. Short("id")];

    public static byte[] Table(params (string Name, byte[] Value)[] entries) => Sized([.. entries.SelectMany(entry => (byte[])[.. Short(entry.Name), .. entry.Value])]);

    public static byte[] Text(string value) => [(byte)'S', .. Sized(Encoding.UTF8.GetBytes(value))];

    public static byte[] Array(params byte[][] values) => [(byte)'A', .. Sized([.. values.SelectMany(value => value)])];

    public static byte[] Nest(byte[] table) => [(byte)'F', .. table];

    /// <summary>Arrays, or tables whose names are empty, within each other.</summary>
    public static byte[] Nested(char kind, int depth)
    {
        // A table's entry has a name before its value: here an octet that says that it has no letters.
        var unit = kind == 'A' ? 5 : 6;
        var bytes = new byte[(depth * unit) - (unit - 5)];
        for (var at = 0; at < bytes.Length; at += unit)
        {
            bytes[at] = (byte)kind;
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at + 1), (uint)(bytes.Length - at - 5));
        }
        return bytes;
    }

    private static byte[] Short(string value) => [(byte)Encoding.UTF8.GetByteCount(value), .. Encoding.UTF8.GetBytes(value)];

    private static byte[] Sized(byte[] bytes)
    {
        var size = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(size, (uint)bytes.Length);
        return [.. size, .. bytes];
    }
}
