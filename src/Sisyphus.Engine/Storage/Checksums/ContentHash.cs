using System.Security.Cryptography;

namespace Sisyphus.Engine.Storage.Checksums;

/// <summary>Length, CRC-32C and SHA-256 of a content in one pass.</summary>
internal sealed class ContentHash : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Crc32C _crc;
    private long _size;

    public static ContentSums Of(ReadOnlySpan<byte> bytes)
    {
        using var hash = new ContentHash();
        hash.Append(bytes);
        return hash.Current;
    }

    /// <summary>Of everything appended so far; more may follow.</summary>
    public ContentSums Current => new(_size, _crc.Value, Convert.ToHexStringLower(_sha256.GetCurrentHash()));

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        _crc.Append(bytes);
        _size += bytes.Length;
    }

    public void Dispose() => _sha256.Dispose();
}
