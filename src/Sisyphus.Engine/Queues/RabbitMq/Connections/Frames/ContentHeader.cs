using System.Buffers.Binary;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections.Frames;

/// <summary>What a message says of itself (AMQP 0.9.1, 2.3.5.2): class, weight and size of the body, a bit for each property that is there, and the properties one after the other.</summary>
/// <remarks>
/// The client reads tables by recursion, so that one of 90 kB that is nested 17,500 deep ends the process, and closes the connection over values that AMQP allows and .NET has not.
/// Neither may be in the power of who sends a task.
/// </remarks>
internal static class ContentHeader
{
    /// <summary>Tables and arrays within each other.</summary>
    public const int MaxDepth = 32;

    private const int FlagsAt = 12;
    private const int HasContentType = 1 << 15;
    private const int HasContentEncoding = 1 << 14;
    private const int HasHeaders = 1 << 13;
    /// <summary>Of <see cref="decimal"/>.</summary>
    private const byte MaxScale = 28;
    private const byte Bytes = (byte)'x';

    /// <summary>Changes in place what the client could not read, to values of the same length: what is nested too deep becomes its own bytes, a decimal number gets the most places that there can be, a number of 64 bits its sign.</summary>
    /// <remarks>What is no header by AMQP stays as it is; a broker lets none pass.</remarks>
    public static void Mend(Span<byte> header)
    {
        if (header.Length < FlagsAt + 2)
            return;
        var flags = BinaryPrimitives.ReadUInt16BigEndian(header[FlagsAt..]);
        if ((flags & HasHeaders) == 0)
            return;
        var at = FlagsAt + 2;
        foreach (var before in (ReadOnlySpan<int>)[HasContentType, HasContentEncoding])
        {
            if ((flags & before) == 0)
                continue;
            if (at >= header.Length)
                return;
            at += 1 + header[at];
        }
        if (TryLength(header, at, out var end))
            MendTable(header[..end], at + sizeof(uint));
    }

    private static void MendTable(Span<byte> table, int at)
    {
        // Where what we are in ends, and whether its values have names.
        Span<(int End, bool IsTable)> outer = stackalloc (int, bool)[MaxDepth];
        var depth = 0;
        outer[0] = (table.Length, true);
        while (true)
        {
            while (at >= outer[depth].End)
            {
                if (--depth < 0)
                    return;
            }
            if (outer[depth].IsTable)
                at += 1 + table[at];
            if (at >= table.Length)
                return;
            var type = at++;
            switch ((char)table[type])
            {
                case 'F' or 'A':
                    if (!TryLength(table, at, out var end))
                        return;
                    if (depth + 1 < MaxDepth)
                    {
                        outer[++depth] = (end, table[type] == 'F');
                        at += sizeof(uint);
                        break;
                    }
                    table[type] = Bytes;
                    at = end;
                    break;
                case 'S' or 'x':
                    if (!TryLength(table, at, out at))
                        return;
                    break;
                case 'D':
                    if (at < table.Length)
                        table[at] = Math.Min(table[at], MaxScale);
                    at += 5;
                    break;
                case 'L':
                    table[type] = (byte)'l';
                    at += 8;
                    break;
                case 'l' or 'd' or 'T':
                    at += 8;
                    break;
                case 'I' or 'i' or 'f':
                    at += 4;
                    break;
                case 's' or 'u':
                    at += 2;
                    break;
                case 't' or 'b' or 'B':
                    at++;
                    break;
                case 'V':
                    break;
                default:
                    return;
            }
        }
    }

    /// <param name="end">Where that ends whose length stands here.</param>
    private static bool TryLength(ReadOnlySpan<byte> bytes, int at, out int end)
    {
        end = bytes.Length;
        if (at > bytes.Length - sizeof(uint))
            return false;
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);
        at += sizeof(uint);
        if (length > bytes.Length - at)
            return false;
        end = at + (int)length;
        return true;
    }
}
