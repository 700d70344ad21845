namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>How objects are moved between stores and local files.</summary>
public sealed class TransferOptions
{
    public const int DefaultAttempts = 5;
    public const int DefaultConcurrency = 16;
    public const long DefaultRangeSize = 32L * 1024 * 1024;
    public const long DefaultMemory = 256L * 1024 * 1024;
    public static readonly TimeSpan DefaultBaseDelay = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan DefaultMaxDelay = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan DefaultStallTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Tries in a row without a byte moved before a transfer is given up, 1 to 100.</summary>
    public int Attempts { get; set; } = DefaultAttempts;
    /// <summary>Connections that move data at a time, 1 to 256, over all tasks of a node; each takes a buffer of 256 KiB. Many small objects take one each, a large one several.</summary>
    public int Concurrency { get; set; } = DefaultConcurrency;
    /// <summary>Bytes of objects on their way that may be in memory at a time, over all tasks of a node, 16 MiB to 64 GiB. What is uploaded waits there until the store has confirmed it.</summary>
    public long Memory { get; set; } = DefaultMemory;
    /// <summary>Bytes of a large object that one connection fetches, 1 MiB to 1 GiB; several ranges of it come at a time.</summary>
    public long RangeSize { get; set; } = DefaultRangeSize;
    /// <summary>Absolute folder that remembers uploads of large files, so that another process goes on with them where this one was stopped; null: none.</summary>
    public string? JournalFolder { get; set; }
    /// <summary>Before the first repetition; doubles with each, 0 s to 10 min.</summary>
    public TimeSpan BaseDelay { get; set; } = DefaultBaseDelay;
    /// <summary>Upper limit of the pause, 0 s to 1 h.</summary>
    public TimeSpan MaxDelay { get; set; } = DefaultMaxDelay;
    /// <summary>A connection over which nothing came for so long is broken, 1 s to 1 h.</summary>
    public TimeSpan StallTimeout { get; set; } = DefaultStallTimeout;

    /// <exception cref="ArgumentException">Names the option, its value and the allowed range.</exception>
    public void Validate()
    {
        Require(Attempts is >= 1 and <= 100, nameof(Attempts), Attempts, "1 to 100");
        Require(Concurrency is >= 1 and <= 256, nameof(Concurrency), Concurrency, "1 to 256");
        Require(Memory is >= 16L * 1024 * 1024 and <= 64L * 1024 * 1024 * 1024, nameof(Memory), Memory, "16 MiB to 64 GiB");
        Require(RangeSize is >= 1024 * 1024 and <= 1024 * 1024 * 1024, nameof(RangeSize), RangeSize, "1 MiB to 1 GiB");
        Require(JournalFolder is null || Path.IsPathFullyQualified(JournalFolder), nameof(JournalFolder), JournalFolder!, "an absolute path");
        Require(BaseDelay >= TimeSpan.Zero && BaseDelay <= TimeSpan.FromMinutes(10), nameof(BaseDelay), BaseDelay, "0 s to 10 min");
        Require(MaxDelay >= TimeSpan.Zero && MaxDelay <= TimeSpan.FromHours(1), nameof(MaxDelay), MaxDelay, "0 s to 1 h");
        Require(StallTimeout >= TimeSpan.FromSeconds(1) && StallTimeout <= TimeSpan.FromHours(1), nameof(StallTimeout), StallTimeout, "1 s to 1 h");
    }

    private static void Require(bool condition, string name, object value, string allowed)
    {
        if (!condition)
            throw new ArgumentException($"{name} is {value}; allowed: {allowed}.", name);
    }
}
