using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] Whole = Content(1_000_000);
    private static readonly TransferOptions Options = new() { BaseDelay = TimeSpan.Zero, StallTimeout = TimeSpan.FromSeconds(1) };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ObjectInfo Info => new("bucket", "k", Whole.Length, "1", Crc32C.Of(Whole), default);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ToFile_ConnectionBreaksAgainAndAgain_GoesOnWhereItBroke()
    {
        var store = new ScriptedStore((_, offset) => new FaultyIOStream(Whole[(int)offset..], breakAfter: 90_000));
        var meter = new TransferMeter();
        var sums = await new Download(Options).ToFileAsync(Item(store, Info), meter, Token);
        Assert.Equal(ContentHash.Of(Whole), sums);
        Assert.Equal(Whole, await File.ReadAllBytesAsync(_folder["file"], Token));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => i * 90_000L), store.Offsets);
        Assert.Equal((Whole.Length, 1), (meter.Current.Bytes, meter.Current.Objects));
    }

    [Fact]
    public async Task ToFile_NothingMovesAnyMore_GivesUpAfterTheAttempts()
    {
        var store = new ScriptedStore((_, _) => new FaultyIOStream([], breakAfter: 0));
        await FailsAsync(FailureReason.TransferFailed, () => new Download(Options).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.Equal(TransferOptions.DefaultAttempts, store.Opened);
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_StreamEndsTooSoon_GoesOn()
    {
        var store = new ScriptedStore((n, offset) => new MemoryStream(Whole[(int)offset..(n == 1 ? 1000 : Whole.Length)]));
        Assert.Equal(ContentHash.Of(Whole), await new Download(Options).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
    }

    [Fact]
    public async Task ToFile_StreamStalls_IsBrokenOffAndGoesOn()
    {
        var store = new ScriptedStore((n, offset) => n == 1 ? new StallingStream() : new MemoryStream(Whole[(int)offset..]));
        Assert.Equal(ContentHash.Of(Whole), await new Download(Options).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.Equal(2, store.Opened);
    }

    [Fact]
    public async Task ToFile_OtherBytesThanTheStoreSays_IsInputCorruptAndLeavesNoFile()
    {
        var store = new ScriptedStore((_, _) => new MemoryStream(Content(Whole.Length, 2)));
        await FailsAsync(FailureReason.InputCorrupt, () => new Download(Options).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_MoreBytesThanTheStoreSays_IsInputCorrupt()
    {
        var store = new ScriptedStore((_, _) => new MemoryStream([.. Whole, 1]));
        await FailsAsync(FailureReason.InputCorrupt, () => new Download(Options).ToFileAsync(Item(store, Info with { Crc32C = null }), new TransferMeter(), Token));
    }

    [Fact]
    public async Task ToFile_StoreSaysMissing_IsNotRepeated()
    {
        var store = new ScriptedStore((_, _) => throw new TaskFailureException(FailureReason.InputMissing, "gone"));
        await FailsAsync(FailureReason.InputMissing, () => new Download(Options).ToFileAsync(Item(store, Info), new TransferMeter(), Token));
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
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Download(Options).ToFileAsync(Item(store, Info), new TransferMeter(), canceled.Token));
        Assert.False(File.Exists(_folder["file"]));
    }

    [Fact]
    public async Task ToFile_LocalDiskFull_IsDiskFullAndNotRepeated()
    {
        using var disk = SmallDisk.TryMount(_folder["small"], "512k");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        var store = new ScriptedStore((_, offset) => new MemoryStream(Whole[(int)offset..]));
        await FailsAsync(FailureReason.DiskFull, () => new Download(Options).ToFileAsync(new DownloadItem(store, Info, _folder["small/file"]), new TransferMeter(), Token));
        Assert.Equal(1, store.Opened);
        Assert.Empty(Directory.GetFiles(_folder["small"]));
    }

    [Fact]
    public async Task ManyToFiles_MoreThanAtATime_AllArriveWithinTheLimit()
    {
        var store = DirectoryObjectStore.OfRoot(_folder["store"]);
        var items = new List<DownloadItem>();
        for (var i = 0; i < 40; i++)
            items.Add(new DownloadItem(store, await store.PutAsync("bucket", $"{i}", Content(i * 1000, i)), _folder[$"file{i}"]));
        var last = default(TransferProgress);
        var sums = await new Download(new TransferOptions { Concurrency = 3 }).ManyToFilesAsync(items, new Callback(value => last = value), Token);
        for (var i = 0; i < 40; i++)
            Assert.Equal((ContentHash.Of(Content(i * 1000, i)), Convert.ToHexString(Content(i * 1000, i))), (sums[i], Convert.ToHexString(await File.ReadAllBytesAsync(_folder[$"file{i}"], Token))));
        Assert.Equal(new TransferProgress(780_000, 780_000, 40, 40), last);
    }

    [Fact]
    public async Task ManyToFiles_OneFails_ThrowsItsReason()
    {
        var store = DirectoryObjectStore.OfRoot(_folder["store"]);
        var good = await store.PutAsync("bucket", "good", "x");
        DownloadItem[] items = [new(store, good, _folder["a"]), new(store, good with { Key = "missing" }, _folder["b"]), new(store, good, _folder["c"])];
        await FailsAsync(FailureReason.InputMissing, () => new Download(Options).ManyToFilesAsync(items, null, Token));
    }

    [Fact]
    public async Task Upload_StoreFailsAtFirst_IsRepeatedFromTheStart()
    {
        await File.WriteAllBytesAsync(_folder["file"], Whole, Token);
        var inner = DirectoryObjectStore.OfRoot(_folder["store"]);
        var store = new FaultyStore(inner, call => call <= 2 ? (Fault)call : Fault.None, () => new IOException("reset"));
        var meter = new TransferMeter();
        var (stored, sums) = await new Upload(Options).FromFileAsync(_folder["file"], new ObjectLocation(store, "bucket", "k"), meter, Token);
        Assert.Equal((3, ContentHash.Of(Whole), Crc32C.Of(Whole)), (store.Calls, sums, stored.Crc32C));
        Assert.Equal(Whole.Length, meter.Current.Bytes);
    }

    [Theory, InlineData(0, 8, "Attempts"), InlineData(5, 0, "Concurrency"), InlineData(5, 257, "Concurrency")]
    public void Validate_OptionOutOfRange_IsNamed(int attempts, int concurrency, string name) =>
        Assert.Equal(name, Assert.Throws<ArgumentException>(new TransferOptions { Attempts = attempts, Concurrency = concurrency }.Validate).ParamName);

    private DownloadItem Item(IObjectStore store, ObjectInfo info) => new(store, info, _folder["file"]);

    private sealed class Callback(Action<TransferProgress> report) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value) => report(value);
    }

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
