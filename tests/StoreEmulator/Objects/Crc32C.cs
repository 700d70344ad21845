using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Sisyphus.Tests.StoreEmulator.Objects;

/// <summary>CRC-32C of what was appended. Not the engine's: the emulator is to find its mistakes.</summary>
internal sealed class Crc32C
{
    private uint _register = uint.MaxValue;

    /// <summary>Four bytes, the highest first, in base 64.</summary>
    public string Text
    {
        get
        {
            var bytes = new byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, ~_register);
            return Convert.ToBase64String(bytes);
        }
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            _register = BitOperations.Crc32C(_register, word);
        foreach (var b in bytes[(words.Length * 8)..])
            _register = BitOperations.Crc32C(_register, b);
    }
}
