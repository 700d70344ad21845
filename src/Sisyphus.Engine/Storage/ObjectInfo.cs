namespace Sisyphus.Engine.Storage;

/// <summary>What a store says of one object.</summary>
/// <param name="Size">Bytes; <see cref="UnknownSize"/> where a web server does not say.</param>
/// <param name="Generation">Changes whenever the content does; opaque, compared for equality only.</param>
/// <param name="Crc32C">CRC-32C (Castagnoli) of the content as the store knows it, or null where it keeps none.</param>
/// <param name="Modified">When this generation was written.</param>
public sealed record ObjectInfo(string Bucket, string Key, long Size, string Generation, uint? Crc32C, DateTimeOffset Modified)
{
    public const long UnknownSize = -1;

    /// <summary>Of a web server that tells neither ETag nor time: any two contents may have it, so nothing of it is kept.</summary>
    internal const string UnknownGeneration = "unknown";

    /// <summary><see cref="Size"/>, or 0 where it is not known.</summary>
    internal long KnownSize => Size == UnknownSize ? 0 : Size;

    /// <summary>What the address of a web server has after the path. Often a signature, as secret as a password: so it is no part of <see cref="Key"/>, which messages and records name.</summary>
    internal string? Query { get; init; }

    /// <summary>False where every connection brings all of it from the start: fetching it in parts would be fetching it many times.</summary>
    internal bool HasRanges { get; init; } = true;
}
