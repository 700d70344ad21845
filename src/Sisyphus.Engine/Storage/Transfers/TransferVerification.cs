using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>What went by has to be what is there.</summary>
internal static class TransferVerification
{
    /// <exception cref="TaskFailureException"><see cref="FailureReason.InputCorrupt"/></exception>
    public static void Require(ObjectInfo info, ContentSums sums)
    {
        if (info.Size != sums.Size)
            throw Corrupt(info, $"it has {info.Size} bytes and {sums.Size} went by");
        if (info.Crc32C is { } crc && crc != sums.Crc32C)
            throw Corrupt(info, $"its CRC-32C is {Crc32C.ToText(crc)} and that of what went by is {Crc32C.ToText(sums.Crc32C)}");
    }

    private static TaskFailureException Corrupt(ObjectInfo info, string how) =>
        new(FailureReason.InputCorrupt, $"{info.Bucket}:{info.Key} was not copied well: {how}.");
}
