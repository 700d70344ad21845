namespace Sisyphus.Tests.StoreEmulator.S3;

/// <summary>An object of which parts are being uploaded.</summary>
/// <param name="Algorithm">Of its checksum; null for none.</param>
internal sealed record S3Upload(string Id, string Key, string? Algorithm, bool IsComposite, IReadOnlyDictionary<string, string> Metadata, string ContentType, DateTimeOffset Begun)
{
    public SortedDictionary<int, S3Part> Parts { get; } = [];
}
