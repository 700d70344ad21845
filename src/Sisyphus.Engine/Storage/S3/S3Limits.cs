namespace Sisyphus.Engine.Storage.S3;

/// <summary>Sizes of what is sent and copied at a time (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).</summary>
/// <param name="Chunk">The first parts of an upload; what is no larger goes in one request. At least 5 MiB, the smallest that AWS takes.</param>
/// <param name="SingleCopy">The largest object that one request copies.</param>
/// <param name="CopyPart">Of a larger one, unless the number of parts asks for more.</param>
internal sealed record S3Limits(int Chunk, long SingleCopy, long CopyPart)
{
    private const long MiB = 1024 * 1024;
    public const int MaxParts = 10_000;

    public static readonly S3Limits Default = new((int)(8 * MiB), 5 * 1024 * MiB, 1024 * MiB);

    // So 10,000 parts, each in memory for itself, hold 5.4 TiB of unknown content: more than an object may have.
    private const double PartsToDouble = 800;
    private const int LargestPart = 1024 * 1024 * 1024;

    /// <summary>How large to make a part.</summary>
    /// <param name="number">From 1.</param>
    /// <param name="expected">The whole content's size, if it is known: then all parts are of one size.</param>
    public int PartSize(int number, long? expected)
    {
        var even = expected is { } size ? RoundUp((size + MaxParts - 1) / MaxParts) : 0;
        // A content that turns out longer than it said finds larger parts at the end.
        var growing = expected is null || number > MaxParts * 9 / 10 ? (long)(Chunk * Math.Pow(2, (number - 1) / PartsToDouble)) / Step * Step : 0;
        return (int)Math.Min(LargestPart, Math.Max(Chunk, Math.Max(even, growing)));
    }

    /// <summary>How much to copy in a request.</summary>
    public long CopyPartSize(long size) => Math.Max(CopyPart, RoundUp((size + MaxParts - 1) / MaxParts));

    private int Step => Chunk / 8;

    private long RoundUp(long size) => (size + Step - 1) / Step * Step;
}
