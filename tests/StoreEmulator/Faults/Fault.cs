using System.Diagnostics;

namespace Sisyphus.Tests.StoreEmulator.Faults;

/// <summary>Something that goes wrong with the next requests of a kind.</summary>
/// <param name="operation">As the emulator names it, or <see cref="Any"/>.</param>
/// <param name="skip">So many of them go well before.</param>
public sealed class Fault(string operation, FaultKind kind, int times = 1, int skip = 0)
{
    public const string Any = "*";

    private readonly TaskCompletionSource _struck = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _seen;
    private int _struckTimes;
    private long _first;
    private volatile bool _isOver;

    public FaultKind Kind => kind;

    /// <summary>Only of requests whose address, decoded, holds this.</summary>
    public string About { get; init; } = "";

    /// <summary>How long it goes on after it struck first, besides the number of times; null for as long as the number says.</summary>
    public TimeSpan? Lasts { get; init; }

    /// <summary>Of <see cref="FaultKind.TooManyRequests"/> and <see cref="FaultKind.Unavailable"/>; null to say nothing, in which case the former says 0.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Ends when it has struck; of what it holds, when all of it has arrived.</summary>
    public Task Struck => _struck.Task;

    /// <summary>How often it has.</summary>
    public int Strokes => Volatile.Read(ref _struckTimes);

    internal Task Released => _released.Task;

    /// <summary>Lets go on what it holds, and holds nothing more.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Strikes no more.</summary>
    public void End() => _isOver = true;

    internal bool Strikes(string asked, string address)
    {
        if (_isOver || (operation != Any && asked != operation) || !Uri.UnescapeDataString(address).Contains(About, StringComparison.Ordinal))
            return false;
        var seen = Interlocked.Increment(ref _seen);
        if (seen <= skip || seen - skip > times)
            return false;
        Interlocked.CompareExchange(ref _first, Stopwatch.GetTimestamp(), 0);
        if (Lasts is { } lasts && Stopwatch.GetElapsedTime(Volatile.Read(ref _first)) > lasts)
            return false;
        Interlocked.Increment(ref _struckTimes);
        if (kind != FaultKind.Held)
            _struck.TrySetResult();
        return true;
    }

    /// <summary>What it holds is there, all of it.</summary>
    internal void Arrive() => _struck.TrySetResult();
}
