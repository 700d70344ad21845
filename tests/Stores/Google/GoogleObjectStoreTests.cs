using System.IO.Compression;
using System.Text;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Google;

public sealed class GoogleObjectStoreTests : IAsyncLifetime
{
    private GoogleEmulator _emulator = null!;
    private GoogleObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync();
        _emulator.CreateBucket("bucket");
        _store = GoogleStores.Open(_emulator, parts: GoogleStores.PatientParts(_emulator));
    }

    public ValueTask DisposeAsync() => _emulator.DisposeAsync();

    [Fact]
    public async Task List_FiftyThousand_ComesInFiftyPages()
    {
        _emulator.Fill("bucket", "many/", 50_000);
        _emulator.Fill("bucket", "other/", 1);
        var keys = await _store.KeysAsync("bucket", "many/");
        Assert.Equal((50_000, "many/00000000", "many/00049999"), (keys.Count, keys[0], keys[^1]));
        Assert.Equal(50, _emulator.Count("list"));
        Assert.All(_emulator.Requests, seen => Assert.Contains("fields=", seen.RawTarget, StringComparison.Ordinal));
    }

    [Fact]
    public async Task List_ChangesMeanwhile_GoesOnBehindTheLastName()
    {
        _emulator.Options.PageSize = 2;
        _emulator.Fill("bucket", "k", 4);
        List<string> seen = [];
        await foreach (var info in _store.ListAsync("bucket", "k", Token))
        {
            seen.Add(info.Key);
            if (seen.Count == 2)
            {
                await _store.DeleteAsync("bucket", "k00000001", Token);
                await _store.PutAsync("bucket", "k00000000a", "before");
                await _store.PutAsync("bucket", "k00000002a", "behind");
            }
        }
        Assert.Equal(["k00000000", "k00000001", "k00000002", "k00000002a", "k00000003"], seen);
    }

    [Fact]
    public async Task Read_StoredPacked_ArrivesAsItIsStored()
    {
        var packed = await PutPackedAsync("k");
        var info = (await _store.StatAsync("bucket", "k", Token))!;
        Assert.Equal((packed.Length, Crc32C.Of(packed)), (info.Size, info.Crc32C!.Value));
        Assert.Equal(packed, await _store.ReadAsync(info));
        Assert.Equal(packed[10..], await _store.ReadAsync(info, 10));
    }

    [Fact]
    public async Task Read_PackedOnTheWay_ArrivesAsItIsStored()
    {
        var put = await _store.PutAsync("bucket", "k", Content(1000));
        _emulator.Options.Packs = true;
        Assert.Equal(Content(1000), await _store.ReadAsync(put));
        Assert.Equal(Content(1000)[500..], await _store.ReadAsync(put, 500));
    }

    [Fact]
    public async Task Copy_LargeObject_TakesSeveralCalls()
    {
        var source = await _store.PutAsync("bucket", "source", Content(1000));
        _emulator.Options.RewriteStep = 300;
        Assert.Equal(Content(1000), await _store.ReadAsync(await _store.CopyAsync(source, "target", Token)));
        Assert.Equal(4, _emulator.Count("copy"));
    }

    [Fact]
    public async Task Copy_AnswerWithATokenIsLost_BeginsAnew()
    {
        var source = await _store.PutAsync("bucket", "source", Content(1000));
        _emulator.Options.RewriteStep = 300;
        _emulator.Inject(new Fault("copy", FaultKind.AnswerLost, skip: 1));
        Assert.Equal(Content(1000), await _store.ReadAsync(await _store.CopyAsync(source, "target", Token)));
        Assert.Equal(3 + 4, _emulator.Count("copy"));
    }

    [Fact]
    public async Task Copy_SourceReplacedBetweenCalls_IsInputCorruptAndCopiesNothing()
    {
        var source = await _store.PutAsync("bucket", "source", Content(1000));
        await _store.PutAsync("bucket", "source", Content(1000, 2));
        _emulator.Options.RewriteStep = 300;
        await FailsAsync(FailureReason.InputCorrupt, () => _store.CopyAsync(source, "target", Token));
        Assert.Null(await _store.StatAsync("bucket", "target", Token));
    }

    [Fact]
    public async Task Copy_ToAKeyThatCannotBe_IsRefusedWithoutARequest()
    {
        var source = await _store.PutAsync("bucket", "source", "x");
        _emulator.ForgetRequests();
        await FailsAsync(FailureReason.InvalidDocument, () => _store.CopyAsync(source, "a\nb", Token));
        Assert.Empty(_emulator.Requests);
    }

    [Fact]
    public async Task Any_OneBucketOfThreeForbidden_TheOthersGoOn()
    {
        _emulator.CreateBucket("closed", forbidden: true);
        _emulator.CreateBucket("third");
        foreach (var call in (Func<Task>[])[
            () => _store.KeysAsync("closed"), () => _store.StatAsync("closed", "k", Token), () => _store.BucketExistsAsync("closed", Token), () => _store.PutAsync("closed", "k", "x"),
            () => _store.CreateIfAbsentAsync("closed", "k", "x"u8.ToArray(), Token), () => _store.DeleteAsync("closed", "k", Token)])
        {
            _emulator.ForgetRequests();
            var failure = await FailsAsync(FailureReason.InputDenied, call);
            Assert.Contains("closed", failure.Message, StringComparison.Ordinal);
            Assert.Contains("does not have storage.objects access", failure.Message, StringComparison.Ordinal);
            Assert.Single(_emulator.Requests);
        }
        await _store.PutAsync("third", "k", "x");
        Assert.Equal(["k"], await _store.KeysAsync("third"));
    }

    [Fact]
    public async Task Any_KeyThatIsAlsoAPrefix_IsAnObjectOfItsOwn()
    {
        await _store.PutAsync("bucket", "a", "object");
        await _store.PutAsync("bucket", "a/", "marker");
        await _store.PutAsync("bucket", "a/b", "below");
        Assert.Equal(["a", "a/", "a/b"], await _store.KeysAsync("bucket", "a"));
        Assert.Equal(("object", "marker"), (await _store.ReadTextAsync("bucket", "a"), await _store.ReadTextAsync("bucket", "a/")));
    }

    [Fact]
    public async Task Put_NoMarkersWanted_WritesNone()
    {
        await _store.PutAsync("bucket", "a/b/c", "x");
        Assert.Equal(["a/b/c"], await _store.KeysAsync("bucket"));
    }

    [Fact]
    public async Task Put_MarkersWanted_WritesThemOnceAboveTheKey()
    {
        var store = GoogleStores.Open(_emulator, "directory-markers=true");
        await _store.PutAsync("bucket", "a/", "kept");
        await store.PutAsync("bucket", "a/b/c", "x");
        await store.PutAsync("bucket", "a/b/d", "x");
        await store.CreateIfAbsentAsync("bucket", "a/e/", ReadOnlyMemory<byte>.Empty, Token);
        var source = (await store.StatAsync("bucket", "a/b/c", Token))!;
        await store.CopyAsync(source, "f/g", Token);
        Assert.Equal(["a/", "a/b/", "a/b/c", "a/b/d", "a/e/", "f/", "f/g"], await store.KeysAsync("bucket"));
        Assert.Equal("kept", await store.ReadTextAsync("bucket", "a/"));
        Assert.Equal(0, (await store.StatAsync("bucket", "a/b/", Token))!.Size);
        // "a/" and "a/b/" once each, "a/e/" itself, "f/".
        Assert.Equal(4, _emulator.Count("create"));
    }

    [Theory, InlineData(".sisyphus/t/published.json"), InlineData("part/.sisyphus/t/published.json")]
    public async Task Put_ReservedKey_HasNoMarkers(string key)
    {
        await GoogleStores.Open(_emulator, "directory-markers=true").PutAsync("bucket", key, "x");
        Assert.Equal([key], await _store.KeysAsync("bucket"));
    }

    /// <summary>Text that was packed by whoever put it there.</summary>
    private async Task<byte[]> PutPackedAsync(string key)
    {
        using var content = new MemoryStream();
        await using (var gzip = new GZipStream(content, CompressionLevel.Optimal, leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("text ", 1000))), Token);
        using var client = new HttpClient();
        using var related = new MultipartContent("related") { new StringContent($$"""{"name":"{{key}}","contentEncoding":"gzip"}""", Encoding.UTF8, "application/json"), new ByteArrayContent(content.ToArray()) };
        (await client.PostAsync(new Uri(_emulator.Address, "upload/storage/v1/b/bucket/o?uploadType=multipart"), related, Token)).EnsureSuccessStatusCode();
        return content.ToArray();
    }
}
