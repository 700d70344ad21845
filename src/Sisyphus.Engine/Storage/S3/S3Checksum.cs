using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Checksums as S3 writes them.</summary>
internal static class S3Checksum
{
    /// <summary>Where objects have their CRC-32C at servers that keep no such checksum.</summary>
    public const string Metadata = "x-amz-meta-sisyphus-crc32c";

    /// <returns>Null for none, and for one that is a checksum of checksums.</returns>
    public static uint? Decode(string? base64)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        return base64 is not null && Convert.TryFromBase64String(base64, bytes, out var count) && count == bytes.Length ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : null;
    }

    public static string Encode(uint crc)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>Of <see cref="Metadata"/>.</summary>
    public static uint? Parse(string? hexadecimal) =>
        uint.TryParse(hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc) ? crc : null;

#pragma warning disable CA5351 // A checksum on the way (Content-MD5, RFC 1864); no secret hangs on it.
    public static string Md5(ReadOnlySpan<byte> content) => Convert.ToBase64String(MD5.HashData(content));

    /// <summary>The ETag of an object that was sent in parts: of all their MD5 in a row, and how many there are.</summary>
    public static string ETagOf(IReadOnlyList<byte[]> md5) => $"{Convert.ToHexStringLower(MD5.HashData([.. md5.SelectMany(part => part)]))}-{md5.Count}";
#pragma warning restore CA5351
}
