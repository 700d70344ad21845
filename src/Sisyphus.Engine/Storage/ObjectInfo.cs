namespace Sisyphus.Engine.Storage;

/// <summary>What a store says of one object.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Generation">Changes whenever the content does; opaque, compared for equality only.</param>
/// <param name="Crc32C">CRC-32C (Castagnoli) of the content as the store knows it, or null where it keeps none.</param>
/// <param name="Modified">When this generation was written.</param>
public sealed record ObjectInfo(string Bucket, string Key, long Size, string Generation, uint? Crc32C, DateTimeOffset Modified);
