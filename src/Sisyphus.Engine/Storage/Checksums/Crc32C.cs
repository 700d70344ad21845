using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Sisyphus.Engine.Storage.Checksums;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum that object stores keep of their objects. Uses the processor's instruction where it has one.</summary>
internal struct Crc32C
{
    // The register starts with all bits set and is inverted at the end; kept in its final form, so that default(Crc32C) is the checksum of nothing.
    private uint _value;

    /// <summary>Of everything appended so far.</summary>
    public readonly uint Value => _value;

    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var crc = new Crc32C();
        crc.Append(bytes);
        return crc.Value;
    }

    /// <summary>Eight lower-case hexadecimal digits, as in results and records.</summary>
    public static string ToText(uint crc) => crc.ToString("x8", CultureInfo.InvariantCulture);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var crc = ~_value;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var b in bytes[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, b);
        _value = ~crc;
    }
}
