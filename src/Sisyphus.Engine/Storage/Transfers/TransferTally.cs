namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>What one transfer has moved, so that nothing of it counts when it fails or begins anew.</summary>
/// <param name="expects">Nobody knows beforehand how much it is: what comes is expected as it comes.</param>
internal sealed class TransferTally(TransferMeter meter, bool expects = false)
{
    private long _bytes;

    public void Moved(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        Count(bytes);
    }

    public void TakeBack() => Count(-Interlocked.Exchange(ref _bytes, 0));

    private void Count(long bytes)
    {
        if (expects)
            meter.Expect(0, bytes);
        meter.Moved(bytes);
    }
}
