using Sisyphus.Tests.StoreEmulator.Objects;

namespace Sisyphus.Tests.StoreEmulator.S3;

/// <param name="Md5">Hexadecimal; its ETag.</param>
/// <param name="Checksum">Of the upload's algorithm.</param>
internal sealed record S3Part(int Number, StoredContent Content, string Md5, string? Checksum, DateTimeOffset Modified);
