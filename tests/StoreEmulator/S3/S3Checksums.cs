using System.Buffers.Binary;
using System.Security.Cryptography;
using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>The checksums that S3 knows besides MD5 (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).</summary>
internal abstract class S3Checksums
{
    public static readonly string[] Algorithms = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>As headers have it.</summary>
    public abstract string Value { get; }

    public static S3Checksums Of(string algorithm) => algorithm switch
    {
        "crc32" => new Crc(0xEDB88320, 4),
        "crc32c" => new Castagnoli(),
        "crc64nvme" => new Crc(0x9A6C9329AC4BC9B5, 8),
        "sha1" => new Sha(HashAlgorithmName.SHA1),
        "sha256" => new Sha(HashAlgorithmName.SHA256),
        _ => throw S3Error.Argument("x-amz-checksum-algorithm", algorithm, "Checksum algorithm provided is unsupported."),
    };

    public static string Of(string algorithm, StoredContent content)
    {
        var sum = Of(algorithm);
        foreach (var piece in content.Range(0, content.Length))
            sum.Append(piece.Span);
        return sum.Value;
    }

    private sealed class Crc(ulong polynomial, int bytes) : S3Checksums
    {
        private readonly ulong[] _table = [.. Enumerable.Range(0, 256).Select(value => Enumerable.Range(0, 8).Aggregate((ulong)value, (crc, _) => (crc >> 1) ^ ((crc & 1) * polynomial)))];
        private ulong _crc = ulong.MaxValue >> (64 - (8 * bytes));

        public override string Value
        {
            get
            {
                Span<byte> value = stackalloc byte[8];
                BinaryPrimitives.WriteUInt64BigEndian(value, _crc ^ (ulong.MaxValue >> (64 - (8 * bytes))));
                return Convert.ToBase64String(value[(8 - bytes)..]);
            }
        }

        public override void Append(ReadOnlySpan<byte> content)
        {
            foreach (var b in content)
                _crc = (_crc >> 8) ^ _table[(byte)(_crc ^ b)];
        }
    }

    private sealed class Castagnoli : S3Checksums
    {
        private readonly Crc32C _crc = new();

        public override string Value => _crc.Text;

        public override void Append(ReadOnlySpan<byte> bytes) => _crc.Append(bytes);
    }

    private sealed class Sha(HashAlgorithmName name) : S3Checksums
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(name);

        public override string Value => Convert.ToBase64String(_hash.GetCurrentHash());

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);
    }
}
