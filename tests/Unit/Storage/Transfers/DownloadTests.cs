using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Whole = Content(1_000_000);
    private static readonly TransferOptions Options = new() { BaseDelay = TimeSpan.Zero, StallTimeout = TimeSpan.FromSeconds(1) };

    private static TransferScheduler Scheduler => new(Options);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ObjectInfo Info => new("bucket", "k", Whole.Length, "1", Crc32C.Of(Whole), default);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ToFile_ConnectionBreaksAgainAndAgain_GoesOnWhereItBroke()
    {
        var store = new ScriptedStore((_, offset) => new FaultyIOStream(Whole[(int)offset..], breakAfter: 90_000));
        var meter = new TransferMeter();
        var sums = await new Download(Scheduler).ToFileAsync(Item(store, Info), meter, Token);
        Assert.Equal(ContentHash.Of(Whole), sums);
        Assert.Equal(Whole, await File.ReadAllBytesAsync(_folder["file"], Token));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => i * 90_000L), store.Offsets);
        Assert.Equal((Whole.Length, 1), (meter.Current.Bytes, meter.Current.Objects));
    }

    [Fact]
    public async Task ToFile_NothingMovesAnyMore_GivesUpAfterTheAttempts()
    {
        var store = new ScriptedStore((_, _) => new FaultyIOStream([], breakAfter: 0));
        await FailsAsync(FailureReason.TransferFailed, () => new Download(Scheduler).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.Equal(TransferOptions.DefaultAttempts, store.Opened);
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_StreamEndsTooSoon_GoesOn()
    {
        var store = new ScriptedStore((n, offset) => new MemoryStream(Whole[(int)offset..(n == 1 ? 1000 : Whole.Length)]));
        Assert.Equal(ContentHash.Of(Whole), await new Download(Scheduler).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
    }

    [Fact]
    public async Task ToFile_UnknownSizeAndConnectionBreaks_BeginsAnew()
    {
        var store = new ScriptedStore((n, _) => n < 3 ? new FaultyIOStream(Whole, breakAfter: 90_000 * n) : new MemoryStream(Whole));
        var meter = new TransferMeter();
        var sums = await new Download(Scheduler).ToFileAsync(Item(store, Info with { Size = ObjectInfo.UnknownSize, Crc32C = null }), meter, Token);
        Assert.Equal(ContentHash.Of(Whole), sums);
        Assert.Equal(Whole, await File.ReadAllBytesAsync(_folder["file"], Token));
        Assert.Equal([0, 0, 0], store.Offsets);
        Assert.Equal((Whole.Length, Whole.Length), (meter.Current.Bytes, meter.Current.TotalBytes));
    }

    [Fact]
    public async Task ToFile_UnknownSizeAndNothingHelps_GivesUpAfterTheAttempts()
    {
        var store = new ScriptedStore((_, _) => new FaultyIOStream(Whole, breakAfter: 90_000));
        await FailsAsync(FailureReason.TransferFailed, () => new Download(Scheduler).ToFileAsync(Item(store, Info with { Size = ObjectInfo.UnknownSize, Crc32C = null }), new TransferMeter(), Token));
        Assert.Equal(TransferOptions.DefaultAttempts, store.Opened);
    }

    [Fact]
    public async Task ToFile_OtherContentThanDeclared_IsFetchedOnceMoreAndNamesBothSums()
    {
        var store = new ScriptedStore((_, _) => new MemoryStream(Whole));
        var declared = new string('a', 64);
        var failure = await FailsAsync(FailureReason.InputCorrupt, () => new Download(Scheduler).ToFileAsync(Item(store, Info) with { Sha256 = declared }, new TransferMeter(), Token));
        Assert.Equal(2, store.Opened);
        Assert.False(failure.IsRetryable);
        Assert.Contains(declared, failure.Message, StringComparison.Ordinal);
        Assert.Contains(ContentHash.Of(Whole).Sha256, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ToFile_DeclaredContentDamagedOnce_IsFetchedAgain()
    {
        var store = new ScriptedStore((n, _) => new MemoryStream(n == 1 ? Content(Whole.Length, 9) : Whole));
        await new Download(Scheduler).ToFileAsync(Item(store, Info with { Crc32C = null }) with { Sha256 = ContentHash.Of(Whole).Sha256 }, new TransferMeter(), Token);
        Assert.Equal(2, store.Opened);
    }

    [Fact]
    public async Task ToFile_StreamStalls_IsBrokenOffAndGoesOn()
    {
        var store = new ScriptedStore((n, offset) => n == 1 ? new StallingStream() : new MemoryStream(Whole[(int)offset..]));
        Assert.Equal(ContentHash.Of(Whole), await new Download(Scheduler).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.Equal(2, store.Opened);
    }

    [Fact]
    public async Task ToFile_DamagedOnTheWayOnce_IsFetchedAgain()
    {
        var store = new ScriptedStore((n, _) => new MemoryStream(n == 1 ? Content(Whole.Length, 2) : Whole));
        var meter = new TransferMeter();
        Assert.Equal(ContentHash.Of(Whole), await new Download(Scheduler).ToFileAsync(Item(store, Info), meter, Token));
        Assert.Equal(Whole, await File.ReadAllBytesAsync(_folder["file"], Token));
        Assert.Equal((2, Whole.Length), (store.Opened, meter.Current.Bytes));
    }

    [Fact]
    public async Task ToFile_SizeUnknown_EndsWhereTheStreamDoes()
    {
        var store = new ScriptedStore((_, _) => new MemoryStream(Whole));
        var sums = await new Download(Scheduler).ToFileAsync(Item(store, Info with { Size = ObjectInfo.UnknownSize, Crc32C = null }), new TransferMeter(), Token);
        Assert.Equal(ContentHash.Of(Whole), sums);
    }

    [Fact]
    public async Task ToFile_OtherBytesThanTheStoreSays_IsInputCorruptAndLeavesNoFile()
    {
        var store = new ScriptedStore((_, _) => new MemoryStream(Content(Whole.Length, 2)));
        await FailsAsync(FailureReason.InputCorrupt, () => new Download(Scheduler).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_StoreSaysMissing_IsNotRepeated()
    {
        var store = new ScriptedStore((_, _) => throw new TaskFailureException(FailureReason.InputMissing, "gone"));
        await FailsAsync(FailureReason.InputMissing, () => new Download(Scheduler).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.Equal(1, store.Opened);
    }

    [Fact]
    public async Task ToFile_Canceled_LeavesNoFile()
    {
        using var canceled = new CancellationTokenSource();
        var store = new ScriptedStore((_, _) =>
        {
            canceled.Cancel();
            return new MemoryStream(Whole);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Download(Scheduler).ToFileAsync(Item(store, Info), new TransferMeter(), canceled.Token));
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_LocalDiskFull_IsDiskFullAndNotRepeated()
    {
        using var disk = SmallDisk.TryMount(_folder["small"], "512k");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        var store = new ScriptedStore((_, offset) => new MemoryStream(Whole[(int)offset..]));
        await FailsAsync(FailureReason.DiskFull, () => new Download(Scheduler).ToFileAsync(new DownloadItem(store, Info, _folder["small/file"]), new TransferMeter(), Token));
        Assert.Equal(1, store.Opened);
        Assert.Empty(Directory.GetFiles(_folder["small"]));
    }

    [Theory, InlineData(0, 8, "Attempts"), InlineData(5, 0, "Concurrency"), InlineData(5, 257, "Concurrency")]
    public void Validate_OptionOutOfRange_IsNamed(int attempts, int concurrency, string name) =>
        Assert.Equal(name, Assert.Throws<ArgumentException>(new TransferOptions { Attempts = attempts, Concurrency = concurrency }.Validate).ParamName);

    private DownloadItem Item(IObjectStore store, ObjectInfo info) => new(store, info, _folder["file"]);

    /// <summary>A connection that resets after so many bytes.</summary>
    private sealed class FaultyIOStream(byte[] content, int breakAfter) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var left = breakAfter - (int)Position;
            if (left <= 0 && Position < Length || Length == 0)
                throw new IOException("The connection was reset.");
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, Math.Max(left, 0))], cancellationToken);
        }
    }

    /// <summary>A connection on which nothing comes.</summary>
    private sealed class StallingStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
