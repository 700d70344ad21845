namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Adds up what many transfers have moved and reports it a few times a second.</summary>
internal sealed class TransferMeter(IProgress<TransferProgress>? progress = null, TimeProvider? time = null)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _reporting = new();
    private long _bytes;
    private long _totalBytes;
    private int _objects;
    private int _totalObjects;
    private readonly TransferRate _rate = new(time ?? TimeProvider.System);
    private long _reported;

    public TransferProgress Current => new(Interlocked.Read(ref _bytes), Interlocked.Read(ref _totalBytes), Volatile.Read(ref _objects), Volatile.Read(ref _totalObjects), _rate.Current);

    public void Expect(int objects, long bytes)
    {
        Interlocked.Add(ref _totalObjects, objects);
        Interlocked.Add(ref _totalBytes, bytes);
    }

    /// <param name="bytes">Negative when a transfer begins anew.</param>
    public void Moved(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        Report();
    }

    /// <summary>An object that need not be moved.</summary>
    public void Skipped(long bytes)
    {
        Moved(bytes);
        Finished();
    }

    public void Finished()
    {
        Interlocked.Increment(ref _objects);
        Report();
    }

    /// <summary>Reports the final count.</summary>
    public void Flush()
    {
        lock (_reporting)
        {
            _rate.Moved(Interlocked.Read(ref _bytes));
            progress?.Report(Current);
        }
    }

    private void Report()
    {
        if (progress is null || _time.GetElapsedTime(Volatile.Read(ref _reported)) < Interval || !_reporting.TryEnter())
            return;
        try
        {
            Volatile.Write(ref _reported, _time.GetTimestamp());
            _rate.Moved(Interlocked.Read(ref _bytes));
            progress.Report(Current);
        }
        finally
        {
            _reporting.Exit();
        }
    }
}
