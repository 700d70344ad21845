using System.Globalization;
using Azure;
using Azure.Storage.Blobs.Models;
using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>Blobs as objects. The service has no CRC-32C of its own; it keeps ours as metadata, which copies carry on.</summary>
internal static class AzureObjects
{
    private const string ChecksumKey = "sisyphuscrc32c";

    public static ObjectInfo ToInfo(string container, string key, BlobProperties properties) =>
        new(container, key, properties.ContentLength, properties.ETag.ToString(), ChecksumIn(properties.Metadata), properties.LastModified);

    public static ObjectInfo ToInfo(string container, BlobItem item) =>
        new(container, item.Name, item.Properties.ContentLength ?? 0, Quoted(item.Properties.ETag), ChecksumIn(item.Metadata), item.Properties.LastModified ?? DateTimeOffset.UnixEpoch);

    public static ObjectInfo ToInfo(string container, string key, long size, uint crc, BlobContentInfo stored) =>
        new(container, key, size, stored.ETag.ToString(), crc, stored.LastModified);

    public static Dictionary<string, string> Metadata(uint crc) => new() { [ChecksumKey] = Crc32C.ToText(crc) };

    /// <summary>Accounts with real folders show them as blobs of no bytes (https://learn.microsoft.com/azure/storage/blobs/data-lake-storage-namespace).</summary>
    public static bool IsFolder(IDictionary<string, string>? metadata) =>
        metadata is not null && metadata.Any(pair => pair.Key.Equals("hdi_isfolder", StringComparison.OrdinalIgnoreCase) && pair.Value.Equals("true", StringComparison.OrdinalIgnoreCase));

    private static uint? ChecksumIn(IDictionary<string, string>? metadata)
    {
        var text = metadata?.FirstOrDefault(pair => pair.Key.Equals(ChecksumKey, StringComparison.OrdinalIgnoreCase)).Value;
        return text is { Length: 8 } && uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc) ? crc : null;
    }

    // In lists it stands without its quotes.
    private static string Quoted(ETag? tag) => tag?.ToString() is { } text ? text.StartsWith('"') ? text : $"\"{text}\"" : "";
}
