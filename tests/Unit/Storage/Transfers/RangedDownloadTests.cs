using System.Collections.Concurrent;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

/// <summary>Objects of several ranges.</summary>
public sealed class RangedDownloadTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private static readonly byte[] Whole = Content((5 * MiB) + 12345);

    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentBag<(long Offset, long? Length)> _ranges = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ToFile_SeveralRanges_AreHashedInTheOrderOfTheObject()
    {
        // The first comes last: nobody waits for it, and the bytes behind it are in their places by then.
        var others = new CountdownEvent(5);
        var store = Store((offset, length) =>
        {
            if (offset == 0)
                Assert.True(others.Wait(TimeSpan.FromSeconds(10), Token));
            else
                others.Signal();
            return new MemoryStream(Whole, (int)offset, (int)length!);
        });
        var meter = new TransferMeter();
        Assert.Equal(ContentHash.Of(Whole), await DownloadAsync(store, meter));
        Assert.Equal(Whole, await File.ReadAllBytesAsync(_folder["file"], Token));
        Assert.Equal(Enumerable.Range(0, 6).Select(i => ((long)i * MiB, (long?)Math.Min(MiB, Whole.Length - (i * MiB)))), _ranges.Order());
        Assert.Equal((Whole.Length, 1), (meter.Current.Bytes, meter.Current.Objects));
    }

    [Fact]
    public async Task ToFile_ARangeBreaks_GoesOnInThatRange()
    {
        var broken = 0;
        var store = Store((offset, length) => offset == 2 * MiB && Interlocked.Increment(ref broken) == 1
            ? new MemoryStream(Whole, (int)offset, 1000)
            : new MemoryStream(Whole, (int)offset, (int)length!));
        Assert.Equal(ContentHash.Of(Whole), await DownloadAsync(store, new TransferMeter()));
        Assert.Contains(((2L * MiB) + 1000, (long?)MiB - 1000), _ranges);
    }

    [Fact]
    public async Task ToFile_ARangeFailsForGood_LeavesNoFile()
    {
        var store = Store((offset, length) => offset == MiB ? throw new TaskFailureException(FailureReason.InputDenied, "no") : new MemoryStream(Whole, (int)offset, (int)length!));
        await FailsAsync(FailureReason.InputDenied, () => DownloadAsync(store, new TransferMeter()));
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_TwoDownloadsAtOnce_HaveNoMoreConnectionsThanThereAre()
    {
        // The first connection waits for a second one, so that they are open at once however late the threads start.
        var (open, most, opened) = (0, 0, 0);
        using var another = new ManualResetEventSlim();
        var store = Store((offset, length) =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref open));
            if (Interlocked.Increment(ref opened) > 1)
                another.Set();
            Assert.True(another.Wait(TimeSpan.FromSeconds(10), Token));
            return new ClosingStream(new MemoryStream(Whole, (int)offset, (int)length!), () => Interlocked.Decrement(ref open));
        });
        var scheduler = new TransferScheduler(new TransferOptions { RangeSize = MiB, Concurrency = 3 });
        await Task.WhenAll(Enumerable.Range(0, 2).Select(i => Task.Run(() => new Download(scheduler).ToFileAsync(new DownloadItem(store, Info, _folder[$"file{i}"]), new TransferMeter(), Token))));
        Assert.InRange(most, 2, 3);
    }

    private static ObjectInfo Info => new("bucket", "k", Whole.Length, "1", Crc32C.Of(Whole), default);

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = most; value > seen; seen = most)
            Interlocked.CompareExchange(ref most, value, seen);
    }

    private Task<ContentSums> DownloadAsync(IObjectStore store, TransferMeter meter) =>
        new Download(new TransferScheduler(new TransferOptions { RangeSize = MiB, BaseDelay = TimeSpan.Zero })).ToFileAsync(new DownloadItem(store, Info, _folder["file"]), meter, Token);

    private RangeStore Store(Func<long, long?, Stream> open) => new((offset, length) =>
    {
        _ranges.Add((offset, length));
        return open(offset, length);
    });

    private sealed class ClosingStream(Stream inner, Action closed) : ReadOnlyStream
    {
        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                closed();
            base.Dispose(disposing);
        }
    }
}
