namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Bytes a second of late: an average in which what is some seconds old counts for little. Told by one caller at a time.</summary>
internal sealed class TransferRate(TimeProvider time)
{
    // After this time a change of speed shows by two thirds.
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(3);

    private readonly long _started = time.GetTimestamp();
    private long _at = time.GetTimestamp();
    private long _bytes;
    private double _rate;

    public double Current => Volatile.Read(ref _rate);

    /// <param name="bytes">In all; fewer than before when a transfer began anew.</param>
    public void Moved(long bytes)
    {
        var elapsed = time.GetElapsedTime(_at).TotalSeconds;
        if (elapsed <= 0)
            return;
        var sinceStart = time.GetElapsedTime(_started).TotalSeconds;
        // In the beginning the plain average; the weights of a longer history would say too little.
        var weight = sinceStart < Memory.TotalSeconds ? elapsed / sinceStart : 1 - Math.Exp(-elapsed / Memory.TotalSeconds);
        Volatile.Write(ref _rate, _rate + (weight * (Math.Max(0, bytes - _bytes) / elapsed - _rate)));
        _bytes = bytes;
        _at = time.GetTimestamp();
    }
}
