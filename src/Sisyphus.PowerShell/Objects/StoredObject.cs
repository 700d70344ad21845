using System.Globalization;

using Sisyphus.Engine.Storage;

namespace Sisyphus.PowerShell.Objects;

/// <summary>An object as <c>Get-SisyphusObject</c> shows it.</summary>
/// <param name="RemotePath">What another cmdlet or a document needs to name it.</param>
/// <param name="Size">Bytes; -1 where a web server does not say.</param>
/// <param name="Crc32C">Eight hexadecimal digits, or empty where the store keeps none.</param>
public sealed record StoredObject(string RemotePath, string Bucket, string Key, long Size, DateTime Modified, string Crc32C, string Generation)
{
    public static StoredObject From(ObjectInfo info, string remotePath)
    {
        ArgumentNullException.ThrowIfNull(info);
        var crc = info.Crc32C?.ToString("x8", CultureInfo.InvariantCulture) ?? "";
        return new(remotePath, info.Bucket, info.Key, info.Size, info.Modified.LocalDateTime, crc, info.Generation);
    }

    public override string ToString() => RemotePath;
}
