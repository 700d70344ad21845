namespace Sisyphus.Engine.Storage.Checksums;

/// <summary>What is known of a content once all of it went by.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
internal sealed record ContentSums(long Size, uint Crc32C, string Sha256);
