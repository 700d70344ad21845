using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Cache;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage.Transfers;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Cache;

public sealed class InputCacheTests : IDisposable
{
    private const int Size = 100_000;

    private readonly TemporaryFolder _folder = new();
    private readonly DirectoryObjectStore _inner;
    private readonly FaultyStore _store;

    public InputCacheTests()
    {
        _inner = DirectoryObjectStore.OfRoot(_folder["store"]);
        _store = new FaultyStore(_inner, _ => Fault.None, () => new IOException());
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fetch_Twice_ReadsTheStoreOnce()
    {
        var info = await PutAsync("a");
        var cache = Open();
        using (var first = await cache.FetchAsync(_store, info, new TransferMeter(), Token))
            Assert.Equal((ContentHash.Of(Content(Size)), Convert.ToHexString(Content(Size))), (first.Sums, Convert.ToHexString(await File.ReadAllBytesAsync(first.Path, Token))));
        var meter = new TransferMeter();
        using var second = await Open().FetchAsync(_store, info, meter, Token);
        Assert.Equal((1, ContentHash.Of(Content(Size))), (_store.Calls, second.Sums));
        Assert.Equal((Size, 1), (meter.Current.Bytes, meter.Current.Objects));
    }

    [Fact]
    public async Task Fetch_NextGeneration_IsFetched()
    {
        var cache = Open();
        (await cache.FetchAsync(_store, await PutAsync("a"), new TransferMeter(), Token)).Dispose();
        using var second = await cache.FetchAsync(_store, await PutAsync("a", seed: 2), new TransferMeter(), Token);
        Assert.Equal(ContentHash.Of(Content(Size, 2)), second.Sums);
    }

    [Fact]
    public async Task Fetch_GenerationThatNobodyKnows_IsFetchedEachTimeUnlessTheContentIsDeclared()
    {
        var store = new ScriptedStore((_, _) => new MemoryStream(Content(Size)));
        var info = new ObjectInfo("host", "k", ObjectInfo.UnknownSize, ObjectInfo.UnknownGeneration, null, default);
        var sha256 = ContentHash.Of(Content(Size)).Sha256;
        foreach (var (declared, opened) in ((string?, int)[])[(null, 1), (null, 2), (sha256, 3), (sha256, 3)])
        {
            using var lease = await Open().FetchAsync(store, info, declared, new TransferMeter(), Token);
            Assert.Equal((opened, ContentHash.Of(Content(Size))), (store.Opened, lease.Sums));
        }
    }

    [Fact]
    public async Task Fetch_OtherContentThanDeclared_IsNotKept()
    {
        var info = await PutAsync("a");
        var cache = Open();
        (await cache.FetchAsync(_store, info, new TransferMeter(), Token)).Dispose();
        // The same generation is there, of which somebody declares something else.
        await FailsAsync(FailureReason.InputCorrupt, () => cache.FetchAsync(_store, info, new string('0', 64), new TransferMeter(), Token));
        await FailsAsync(FailureReason.InputCorrupt, () => cache.FetchAsync(_store, info, new string('0', 64), new TransferMeter(), Token));
    }

    [Fact]
    public async Task Fetch_AddressesThatDifferInTheirQuery_AreTwo()
    {
        var store = new ScriptedStore((n, _) => new MemoryStream(Content(Size, n)));
        var info = new ObjectInfo("host", "k", Size, "g", null, default);
        var cache = Open();
        using var one = await cache.FetchAsync(store, info with { Query = "id=1" }, new TransferMeter(), Token);
        using var two = await cache.FetchAsync(store, info with { Query = "id=2" }, new TransferMeter(), Token);
        Assert.NotEqual(one.Sums, two.Sums);
    }

    [Fact, System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Fetch_Cached_NobodyMayWriteIt()
    {
        using var lease = await Open().FetchAsync(_store, await PutAsync("a"), new TransferMeter(), Token);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(lease.Path));
    }

    [Fact]
    public async Task Fetch_ManyAtOnce_ShareOneTransfer()
    {
        var info = await PutAsync("a");
        var cache = Open();
        var leases = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(() => cache.FetchAsync(_store, info, new TransferMeter(), Token))));
        Assert.Single(leases.Select(lease => lease.Path).Distinct());
        Assert.Equal(1, _store.Calls);
        foreach (var lease in leases)
            lease.Dispose();
    }

    [Fact]
    public async Task Fetch_ManyCachesOnOneFolder_AreHarmless()
    {
        var info = await PutAsync("a");
        var leases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Open().FetchAsync(_store, info, new TransferMeter(), Token))));
        foreach (var lease in leases)
        {
            Assert.Equal(Content(Size), await File.ReadAllBytesAsync(lease.Path, Token));
            lease.Dispose();
        }
        Assert.Empty(Directory.GetFiles(_folder["cache/unfinished"]));
    }

    [Fact]
    public async Task Fetch_FirstOfTwoCanceled_TheOtherGetsIt()
    {
        var info = await PutAsync("a");
        var entered = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        var store = new ScriptedStore((_, _) => new MemoryStream(Content(Size)), async () =>
        {
            entered.TrySetResult();
            await go.Task;
        });
        var cache = Open();
        using var canceled = new CancellationTokenSource();
        var first = cache.FetchAsync(store, info, new TransferMeter(), canceled.Token);
        await entered.Task;
        var second = cache.FetchAsync(store, info, new TransferMeter(), Token);
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        go.SetResult();
        using var lease = await second;
        Assert.Equal(Content(Size), await File.ReadAllBytesAsync(lease.Path, Token));
    }

    [Fact]
    public async Task Fetch_Fails_LeavesNothingAndTheNextTriesAgain()
    {
        var info = await PutAsync("a");
        var failing = new FaultyStore(_inner, _ => Fault.Before, () => new TaskFailureException(FailureReason.InputDenied, "no"));
        var cache = Open();
        await FailsAsync(FailureReason.InputDenied, () => cache.FetchAsync(failing, info, new TransferMeter(), Token));
        Assert.Empty(Directory.GetFiles(_folder["cache"], "*", SearchOption.AllDirectories));
        using var lease = await cache.FetchAsync(_inner, info, new TransferMeter(), Token);
        Assert.Equal(Size, lease.Sums.Size);
    }

    [Fact]
    public async Task Fetch_MoreThanTheLimit_EvictsWhatWasUsedLeastRecentlyAndIsNotLeased()
    {
        var cache = Open(maxBytes: 3 * Size);
        var leased = await cache.FetchAsync(_store, await PutAsync("leased"), new TransferMeter(), Token);
        var paths = new List<string>();
        foreach (var key in (string[])["a", "b", "c", "d"])
        {
            using var lease = await cache.FetchAsync(_store, await PutAsync(key), new TransferMeter(), Token);
            paths.Add(lease.Path);
        }
        Assert.True(File.Exists(leased.Path));
        Assert.Equal([false, false, true, true], paths.Select(File.Exists));
        leased.Dispose();
        using var next = await cache.FetchAsync(_store, await PutAsync("e"), new TransferMeter(), Token);
        Assert.False(File.Exists(leased.Path));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Fetch_CachedFileDamagedBeforeTheMachineStarted_IsFetchedAgain(bool truncated)
    {
        var info = await PutAsync("a");
        string path;
        using (var lease = await Open().FetchAsync(_store, info, new TransferMeter(), Token))
            path = lease.Path;
        File.Delete(path);
        await File.WriteAllBytesAsync(path, truncated ? [] : new byte[Size], Token);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddYears(-1));
        using var again = await Open().FetchAsync(_store, info, new TransferMeter(), Token);
        Assert.Equal(Content(Size), await File.ReadAllBytesAsync(again.Path, Token));
        Assert.Equal(2, _store.Calls);
    }

    [Fact]
    public async Task Fetch_CachedFileWholeFromBeforeTheMachineStarted_IsUsed()
    {
        var info = await PutAsync("a");
        using (var lease = await Open().FetchAsync(_store, info, new TransferMeter(), Token))
            File.SetLastWriteTimeUtc(lease.Path, DateTime.UtcNow.AddYears(-1));
        using var again = await Open().FetchAsync(_store, info, new TransferMeter(), Token);
        Assert.Equal(1, _store.Calls);
    }

    [Fact]
    public async Task Fetch_DiskFullOfCachedFiles_EvictsThem()
    {
        using var disk = SmallDisk.TryMount(_folder["cache"], "250k");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        var cache = Open();
        foreach (var key in (string[])["a", "b", "c"])
        {
            using var lease = await cache.FetchAsync(_store, await PutAsync(key), new TransferMeter(), Token);
            Assert.Equal(Size, lease.Sums.Size);
        }
        using var held = await cache.FetchAsync(_store, await PutAsync("d"), new TransferMeter(), Token);
        using var heldToo = await cache.FetchAsync(_store, await PutAsync("e"), new TransferMeter(), Token);
        await FailsAsync(FailureReason.DiskFull, async () => await cache.FetchAsync(_store, await PutAsync("f"), new TransferMeter(), Token));
    }

    [Fact]
    public async Task Place_IntoAWorkspace_IsTheSameFileUnderAnotherName()
    {
        var info = await PutAsync("a");
        var cache = Open(maxBytes: 0);
        await cache.PlaceAsync(_store, info, _folder["placed"], new TransferMeter(), Token);
        await cache.PlaceAsync(_store, info, _folder["placed too"], new TransferMeter(), Token);
        Assert.Equal(FileIdentity.Find(_folder["placed"]), FileIdentity.Find(_folder["placed too"]));
        (await cache.FetchAsync(_store, await PutAsync("b"), new TransferMeter(), Token)).Dispose();
        Assert.Equal(Content(Size), await File.ReadAllBytesAsync(_folder["placed"], Token));
    }

    [Fact]
    public async Task Open_UnfinishedFilesOfADeadProcess_AreSwept()
    {
        _ = Open();
        await File.WriteAllTextAsync(_folder["cache/unfinished/old"], "x", Token);
        File.SetLastWriteTimeUtc(_folder["cache/unfinished/old"], DateTime.UtcNow.AddDays(-2));
        _ = Open();
        Assert.Empty(Directory.GetFiles(_folder["cache/unfinished"]));
    }

    private InputCache Open(long maxBytes = InputCacheOptions.DefaultMaxBytes) =>
        new(new InputCacheOptions { Folder = _folder["cache"], MaxBytes = maxBytes }, new TransferScheduler(new TransferOptions { BaseDelay = TimeSpan.Zero }));

    private Task<ObjectInfo> PutAsync(string key, int seed = 1) => _inner.PutAsync("bucket", key, Content(Size, seed));
}
