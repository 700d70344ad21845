using System.Diagnostics;
using System.Threading.Channels;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Counts what a batch has moved and says so now and then.</summary>
internal sealed class TransferMeter(IReadOnlyCollection<ObjectTransfer> transfers, ChannelWriter<TransferEvent> events)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly long _totalBytes = transfers.Sum(transfer => transfer.Size);
    private long _bytes;
    private int _objects;
    private long _reported = Stopwatch.GetTimestamp();

    public void Moved(int bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        var last = Interlocked.Read(ref _reported);
        if (Stopwatch.GetElapsedTime(last) >= Interval && Interlocked.CompareExchange(ref _reported, Stopwatch.GetTimestamp(), last) == last)
            events.TryWrite(new TransferProgressed(new TransferProgress(Interlocked.Read(ref _bytes), _totalBytes, Volatile.Read(ref _objects), transfers.Count)));
    }

    public void Ended() => Interlocked.Increment(ref _objects);
}
