using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Sisyphus.Tests.StoreEmulator.Objects;

/// <summary>A hash that takes zeros for what they are: those of a sparse object of gigabytes would be half a minute of work.</summary>
internal sealed class SparseHash(HashAlgorithmName algorithm)
{
    private static readonly ConcurrentDictionary<(HashAlgorithmName Algorithm, long Zeros), byte[]> Known = new();
    private static readonly byte[] Zeros = new byte[64 * 1024];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(algorithm);
    private long _zeros;
    private bool _onlyZeros = true;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_onlyZeros && !bytes.ContainsAnyExcept((byte)0))
        {
            _zeros += bytes.Length;
            return;
        }
        AppendZeros();
        _onlyZeros = false;
        _hash.AppendData(bytes);
    }

    /// <summary>Once, at the end.</summary>
    public byte[] Finish() => _onlyZeros ? Known.GetOrAdd((algorithm, _zeros), _ => FinishHash()) : FinishHash();

    private byte[] FinishHash()
    {
        AppendZeros();
        return _hash.GetHashAndReset();
    }

    private void AppendZeros()
    {
        for (; _zeros > 0; _zeros -= Math.Min(_zeros, Zeros.Length))
            _hash.AppendData(Zeros.AsSpan(0, (int)Math.Min(_zeros, Zeros.Length)));
    }
}
