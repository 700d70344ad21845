using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Cache;

/// <summary>Where the cache keeps one generation of one object: a folder named after its identity, with one file in it that is named after its content.
/// So a single rename publishes the file together with its checksums.</summary>
internal static class CacheEntry
{
    /// <param name="sha256">What the content has been verified to be, where it was declared.</param>
    public static string FolderName(IObjectStore store, ObjectInfo info, string? sha256 = null)
    {
        // A generation that any content may have is good for one fetch, unless a checksum says what the content is.
        if (info.Generation == ObjectInfo.UnknownGeneration && sha256 is null)
            return Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));
        // Lengths in front, so that no two tuples run together.
        var identity = new StringBuilder();
        foreach (var part in (string[])[store.Name, info.Bucket, info.Key, info.Generation, .. sha256 is null ? (string[])[] : [sha256], .. info.Query is { } query ? (string[])["?" + query] : []])
            identity.Append(CultureInfo.InvariantCulture, $"{part.Length}:{part}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ToString())));
    }

    public static string FileName(ContentSums sums) =>
        string.Create(CultureInfo.InvariantCulture, $"{sums.Size}-{Crc32C.ToText(sums.Crc32C)}-{sums.Sha256}");

    public static ContentSums? Parse(string fileName) =>
        fileName.Split('-') is [var size, { Length: 8 } crc, { Length: 64 } sha256]
        && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
        && uint.TryParse(crc, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var sum)
            ? new ContentSums(length, sum, sha256)
            : null;
}
