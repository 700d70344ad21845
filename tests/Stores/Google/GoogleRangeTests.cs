using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>Large objects, of which several ranges come at a time.</summary>
public sealed class GoogleRangeTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;
    private const int Ranges = 6;
    private static readonly byte[] Whole = Content(((Ranges - 1) * MiB) + 12345);

    private readonly TemporaryFolder _folder = new();
    private GoogleEmulator _emulator = null!;
    private StoreParts _parts = null!;
    private GoogleObjectStore _store = null!;
    private ObjectInfo _info = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync();
        _emulator.CreateBucket("bucket");
        _emulator.Put("bucket", "k", Whole);
        _parts = GoogleStores.PatientParts(_emulator);
        _store = GoogleStores.Open(_emulator, parts: _parts);
        _info = (await _store.StatAsync("bucket", "k", Token))!;
    }

    public async ValueTask DisposeAsync()
    {
        await _emulator.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Download_LargerThanARange_ComesInRangesThatAreVerifiedAsOne()
    {
        Assert.Equal(ContentHash.Of(Whole), await DownloadAsync(concurrency: 4));
        Assert.Equal(Whole, await File.ReadAllBytesAsync(_folder["file"], Token));
        Assert.Equal(Ranges, _emulator.Count("get"));
    }

    [Fact]
    public async Task Download_ARangeBreaks_OnlyTheRestOfItComesAgain()
    {
        _emulator.Inject(new Fault("get", FaultKind.ResetInAnswer, skip: 2));
        Assert.Equal(ContentHash.Of(Whole), await DownloadAsync(concurrency: 1));
        var ranges = _emulator.Requests.Where(seen => seen.Operation == "get").Select(seen => seen.Header("Range")!).ToList();
        Assert.Equal(Ranges + 1, ranges.Count);
        var (broken, rest) = (First(ranges[2]), First(ranges[3]));
        Assert.Equal(2 * MiB, broken);
        Assert.InRange(rest, broken + 1, broken + MiB - 1);

        static long First(string range) => long.Parse(range["bytes=".Length..range.IndexOf('-', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Download_ReplacedBetweenTwoRanges_IsInputCorruptAndLeavesNoFile()
    {
        // The fourth range is not answered before another object stands there.
        var held = new Fault("get", FaultKind.Held, skip: 3);
        _emulator.Inject(held);
        var downloading = DownloadAsync(concurrency: 1);
        await held.Struck.WaitAsync(TimeSpan.FromSeconds(30), Token);
        _emulator.Put("bucket", "k", Content(Whole.Length, 2));
        held.Release();
        await FailsAsync(FailureReason.InputCorrupt, () => downloading);
        Assert.False(File.Exists(_folder["file"]));
    }

    private Task<ContentSums> DownloadAsync(int concurrency) =>
        new Download(new TransferScheduler(new TransferOptions { RangeSize = MiB, Concurrency = concurrency, BaseDelay = TimeSpan.FromMilliseconds(1) }))
            .ToFileAsync(new DownloadItem(_store, _info, _folder["file"]), new TransferMeter(), Token);
}
