using System.Buffers.Binary;
using System.Globalization;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Google;

/// <summary>Between the service's objects and ours.</summary>
internal static class GoogleObjects
{
    public static string PathOf(string bucket, string key) => $"/storage/v1/b/{GoogleNames.Encode(bucket)}/o/{GoogleNames.Encode(key)}";

    public static ObjectInfo ToInfo(ObjectResource resource, string bucket)
    {
        if (resource is not { Name: { } name, Generation: { } generation, Size: { } text } || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
            throw new TaskFailureException(FailureReason.TransferFailed, $"Can't understand what Google Cloud Storage says of an object of the bucket '{bucket}': name, generation or size is missing.");
        return new ObjectInfo(bucket, name, size, generation, ToSum(resource.Crc32c), resource.Updated ?? default);
    }

    /// <summary>As the service writes it: four bytes, the highest first, in base 64.</summary>
    public static string ToText(uint crc)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }

    private static uint? ToSum(string? text)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        return text is not null && Convert.TryFromBase64String(text, bytes, out var count) && count == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : null;
    }
}
