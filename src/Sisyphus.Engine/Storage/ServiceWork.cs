namespace Sisyphus.Engine.Storage;

/// <summary>What a service does by itself before it answers.</summary>
internal static class ServiceWork
{
    private const double BytesPerSecond = 16.0 * 1024 * 1024;

    /// <summary>What it may take to copy so much, or to put it together: 16 MiB/s, which a disk of long ago can do.</summary>
    public static TimeSpan TimeFor(long bytes) => TimeSpan.FromSeconds(bytes / BytesPerSecond);
}
