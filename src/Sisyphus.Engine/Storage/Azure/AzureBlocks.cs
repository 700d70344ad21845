using System.Globalization;
using System.Text;

using Sisyphus.Engine.Storage.Checksums;

namespace Sisyphus.Engine.Storage.Azure;

/// <summary>The blocks that a large content is sent in: each a buffer in memory until the service has it. They grow, so that the 50,000 which a blob may have (https://learn.microsoft.com/rest/api/storageservices/put-block) make 19 TiB.</summary>
/// <param name="First">Bytes of the first ones, and the largest content that goes in one request.</param>
/// <param name="GrowsEvery">Blocks until they are twice as large.</param>
/// <param name="Largest">Bytes.</param>
internal sealed record AzureBlocks(int First, int GrowsEvery, int Largest)
{
    public const int MaxCount = 50_000;

    public static readonly AzureBlocks Standard = new(8 * 1024 * 1024, 5000, 1024 * 1024 * 1024);

    /// <param name="index">From 0.</param>
    public int SizeOf(int index) => (int)Math.Min(Largest, (long)First << Math.Min(30, index / GrowsEvery));

    /// <summary>The same for the same block of the same upload, and of one length for all blocks of a blob, as the service wants it.</summary>
    /// <param name="crc">Of its content: the service tells of a block its name and its size only. 0 for what is copied.</param>
    public static string Id(string upload, int index, uint crc) => Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{upload}-{index:D5}-{Crc32C.ToText(crc)}")));

    /// <returns>Null for a block of another upload.</returns>
    public static (int Index, uint Crc)? Parse(string id, string upload)
    {
        var bytes = new byte[id.Length];
        return Convert.TryFromBase64String(id, bytes, out var count)
            && Encoding.ASCII.GetString(bytes, 0, count).Split('-') is [var whose, var number, { Length: 8 } sum] && whose == upload
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && uint.TryParse(sum, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc)
                ? (index, crc)
                : null;
    }
}
