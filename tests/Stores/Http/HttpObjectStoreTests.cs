using System.Text;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Http;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Web;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Http;

public sealed class HttpObjectStoreTests : IAsyncLifetime
{
    private static readonly byte[] Whole = Content(300_000);
    private static readonly WebFile Tagged = new(Whole) { ETag = "\"one\"", Modified = DateTimeOffset.UnixEpoch.AddYears(50) };
    private WebServer _server = null!;
    private HttpObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await WebServer.StartAsync();
        _store = WebStores.Open();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Stat_ServerSaysAll_HasAll()
    {
        _server.Files["/d/f"] = Tagged;
        var info = await _store.StatAsync(_server.Host, "d/f", Token);
        Assert.Equal(new ObjectInfo(_server.Host, "d/f", Whole.Length, "\"one\"", null, Tagged.Modified!.Value), info);
        Assert.Equal(["HEAD"], _server.Requests.Select(request => request.Method));
    }

    [Theory, InlineData(400), InlineData(403), InlineData(405), InlineData(501)]
    public async Task Stat_HeadIsRefused_AsksForOneByte(int status)
    {
        _server.Files["/f"] = Tagged with { HeadStatus = status };
        Assert.Equal(Whole.Length, (await _store.StatAsync(_server.Host, "f", Token))!.Size);
        Assert.Equal("bytes=0-0", _server.Requests.Last().Range);
    }

    [Fact]
    public async Task Stat_HeadWithoutLength_AsksForOneByte()
    {
        _server.Files["/f"] = Tagged with { SaysLength = false };
        Assert.Equal(Whole.Length, (await _store.StatAsync(_server.Host, "f", Token))!.Size);
    }

    [Theory, InlineData(300_000), InlineData(0)]
    public async Task Stat_HeadSaysZero_IsConfirmedWithGet(int size)
    {
        _server.Files["/f"] = Tagged with { Content = Content(size), HeadLength = 0 };
        Assert.Equal(size, (await _store.StatAsync(_server.Host, "f", Token))!.Size);
    }

    [Theory, InlineData(404), InlineData(410)]
    public async Task Stat_NotThere_IsNull(int status)
    {
        _server.Files["/gone"] = Tagged with { Status = status };
        Assert.Null(await _store.StatAsync(_server.Host, "gone", Token));
    }

    [Theory, InlineData(401), InlineData(403)]
    public async Task Stat_NotAllowed_IsDeniedWithoutTheQuery(int status)
    {
        _server.Files["/f?sig=secret"] = Tagged with { Status = status };
        var failure = await FailsAsync(FailureReason.InputDenied, () => _store.StatAsync(_server.Host, "f?sig=secret", Token));
        Assert.Contains($"http://{_server.Host}/f:", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"t\"", true, "\"t\"")]
    [InlineData("W/\"t\"", true, "2020-01-01T00:00:00Z/3")]
    [InlineData(null, true, "2020-01-01T00:00:00Z/3")]
    [InlineData(null, false, "unknown")]
    [InlineData("W/\"t\"", false, "unknown")]
    public async Task Stat_WhatTheServerSays_IsTheGeneration(string? tag, bool dated, string expected)
    {
        _server.Files["/f"] = new WebFile("abc"u8.ToArray()) { ETag = tag, Modified = dated ? new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero) : null };
        Assert.Equal(expected, (await _store.StatAsync(_server.Host, "f", Token))!.Generation);
    }

    [Fact]
    public async Task Read_QueryThatSigns_IsSentAndNotShown()
    {
        _server.Files["/f?sig=a%2Fb"] = Tagged;
        var info = await _store.StatAsync(_server.Host, "f?sig=a%2Fb", Token);
        Assert.Equal("f", info!.Key);
        Assert.DoesNotContain("sig", info.ToString(), StringComparison.Ordinal);
        Assert.Equal(Whole, await _store.ReadAsync(info));
    }

    [Theory]
    [InlineData("a%2Fb/%41%2E%2e", "/a%2Fb/%41%2E%2e")]
    [InlineData("a b", "/a%20b")]
    [InlineData("100%", "/100%25")]
    [InlineData("%zz", "/%25zz")]
    [InlineData("ä/日😀", "/%C3%A4/%E6%97%A5%F0%9F%98%80")]
    [InlineData("a//b", "/a//b")]
    [InlineData("a+b;c=d,e(f)!'*", "/a+b;c=d,e(f)!'*")]
    [InlineData("a?b=c d&e=%20?", "/a?b=c%20d&e=%20?")]
    [InlineData("a\\b", "/a%5Cb")]
    public async Task Stat_AnyKey_IsAskedForAsItIsWritten(string key, string target)
    {
        _server.Files[target] = Tagged;
        var info = await _store.StatAsync(_server.Host, key, Token);
        Assert.NotNull(info);
        Assert.Equal(Whole, await _store.ReadAsync(info));
    }

    [Theory, InlineData(0, 1), InlineData(1000, 5000), InlineData(299_999, 1), InlineData(0, 300_000), InlineData(300_000, 0)]
    public async Task OpenRead_Part_IsThatPart(int offset, int length)
    {
        foreach (var ranges in (bool[])[true, false])
        {
            _server.Files["/f"] = Tagged with { Ranges = ranges };
            var info = await _store.StatAsync(_server.Host, "f", Token);
            Assert.Equal(ranges, info!.HasRanges);
            await using var stream = await _store.OpenReadAsync(info, offset, length, Token);
            var content = new MemoryStream();
            await stream.CopyToAsync(content, Token);
            Assert.Equal(Whole[offset..(offset + length)], content.ToArray());
        }
    }

    [Fact]
    public async Task Any_Request_AsksForTheBytesAsTheyAre()
    {
        _server.Files["/f"] = Tagged;
        await _store.ReadAsync((await _store.StatAsync(_server.Host, "f", Token))!);
        Assert.All(_server.Requests, request => Assert.Equal("identity", request.AcceptEncoding));
    }

    [Theory, InlineData(0), InlineData(1000)]
    public async Task OpenRead_ReplacedMeanwhile_IsInputCorrupt(int offset)
    {
        foreach (var (before, after) in ((WebFile, WebFile)[])
        [
            (Tagged, Tagged with { ETag = "\"two\"" }), (Tagged, Tagged with { Content = Whole[1..], ETag = null }), (Tagged, Tagged with { ETag = "\"two\"", Ranges = false }),
            (Tagged with { ETag = null }, Tagged with { ETag = null, Modified = DateTimeOffset.UnixEpoch }), (Tagged with { ETag = null }, Tagged with { ETag = null, Content = Whole[..^1] }),
        ])
        {
            _server.Files["/f"] = before;
            var info = await _store.StatAsync(_server.Host, "f", Token);
            _server.Files["/f"] = after;
            var failure = await FailsAsync(FailureReason.InputCorrupt, () => _store.OpenReadAsync(info!, offset, Token));
            Assert.Contains("changed", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task OpenRead_DeletedMeanwhile_IsInputMissing()
    {
        _server.Files["/f"] = Tagged;
        var info = await _store.StatAsync(_server.Host, "f", Token);
        _server.Files.Clear();
        await FailsAsync(FailureReason.InputMissing, () => _store.OpenReadAsync(info!, 0, Token));
    }

    [Fact]
    public async Task OpenRead_PackedThoughAskedNotTo_IsRefusedUnlessItsNameSaysSo()
    {
        _server.Files["/f"] = Tagged with { ContentEncoding = "gzip" };
        _server.Files["/f.tar.gz"] = Tagged with { ContentEncoding = "x-gzip" };
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.StatAsync(_server.Host, "f", Token));
        Assert.False(failure.IsRetryable);
        Assert.Contains("gzip", failure.Message, StringComparison.Ordinal);
        Assert.Equal(Whole, await _store.ReadAsync(_server.Host, "f.tar.gz"));
    }

    [Theory, InlineData(301), InlineData(302), InlineData(303), InlineData(307), InlineData(308)]
    public async Task Read_Redirected_FollowsToTheFile(int status)
    {
        _server.Files["/x/a"] = Tagged with { Location = "../b?q=%2F#part", RedirectStatus = status };
        _server.Files["/b?q=%2F"] = Tagged with { Location = $"http://{_server.Host}/c" };
        _server.Files["/c"] = Tagged;
        Assert.Equal(Whole, await _store.ReadAsync(_server.Host, "x/a"));
    }

    [Theory, InlineData(10, true), InlineData(11, false)]
    public async Task Read_RedirectedManyTimes_GivesUpAfterTen(int times, bool arrives)
    {
        for (var i = 0; i < times; i++)
            _server.Files[$"/{i}"] = Tagged with { Location = $"/{i + 1}" };
        _server.Files[$"/{times}"] = Tagged;
        if (arrives)
            Assert.NotNull(await _store.StatAsync(_server.Host, "0", Token));
        else
            Assert.False((await FailsAsync(FailureReason.TransferFailed, () => _store.StatAsync(_server.Host, "0", Token))).IsRetryable);
    }

    [Theory, InlineData("ftp://x/y"), InlineData("file:///etc/passwd"), InlineData("http://user:secret@127.0.0.1/"), InlineData("gopher:x"), InlineData("file:/etc/passwd"), InlineData("data:,x")]
    public async Task Read_RedirectedToNoWebAddress_IsRefused(string location)
    {
        _server.Files["/f"] = Tagged with { Location = location };
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.StatAsync(_server.Host, "f", Token));
        Assert.Contains("no address of the web", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_RedirectedFromHttpsToHttp_IsDenied()
    {
        using var certificate = WebStores.NewCertificate();
        await using var secure = await WebServer.StartAsync(certificate);
        secure.Files["/same"] = Tagged;
        secure.Files["/a"] = Tagged with { Location = "/same" };
        secure.Files["/b"] = Tagged with { Location = $"http://{_server.Host}/f" };
        _server.Files["/f"] = Tagged;
        var store = WebStores.OpenSecure(certificate);
        Assert.Equal(Whole, await store.ReadAsync(secure.Host, "a"));
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.StatAsync(secure.Host, "b", Token));
        Assert.Contains("from https to http", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_server.Requests);
    }

    [Theory, InlineData("http://169.254.169.254/latest"), InlineData("http://metadata.google.internal/"), InlineData("http://localhost:1/x"), InlineData("http://[::1]:1/x"), InlineData("http://example.org/x")]
    public async Task Read_RedirectedToWhatThePolicyDenies_IsDenied(string location)
    {
        _server.Files["/f"] = Tagged with { Location = location };
        var guarded = WebStores.Open(guard: HostGuard.Of([_server.Host]));
        await FailsAsync(FailureReason.PolicyDenied, () => guarded.StatAsync(_server.Host, "f", Token));
        _server.Files["/f"] = Tagged;
        Assert.Equal(Whole, await guarded.ReadAsync(_server.Host, "f"));
    }

    [Fact]
    public async Task Read_PolicyThatNamesNobody_ReachesNotThisMachine()
    {
        _server.Files["/f"] = Tagged;
        // A user's own connection is there already, and must not be what a stranger gets.
        Assert.NotNull(await _store.StatAsync(_server.Host, "f", Token));
        await FailsAsync(FailureReason.PolicyDenied, () => WebStores.Open(guard: HostGuard.Of([])).StatAsync(_server.Host, "f", Token));
        await FailsAsync(FailureReason.PolicyDenied, () => WebStores.Open(guard: HostGuard.Of([])).StatAsync($"localhost:{_server.Address.Port}", "f", Token));
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task Read_CertificateThatNobodyTrusts_Fails()
    {
        using var certificate = WebStores.NewCertificate();
        await using var secure = await WebServer.StartAsync(certificate);
        var failure = await FailsAsync(FailureReason.TransferFailed, () => WebStores.Open("https").StatAsync(secure.Host, "f", Token));
        Assert.Contains("certificate", failure.Message, StringComparison.Ordinal);
        Assert.Empty(secure.Requests);
    }

    [Fact]
    public async Task Any_WriteOrList_SaysThatItIsForReading()
    {
        var info = new ObjectInfo(_server.Host, "f", 1, "x", null, default);
        foreach (var action in (Func<Task>[])
        [
            () => _store.PutAsync(_server.Host, "f?secret", "x"), () => _store.DeleteAsync(_server.Host, "f?secret", Token), () => _store.CopyAsync(info, "g", Token),
            () => _store.CreateIfAbsentAsync(_server.Host, "f?secret", Encoding.UTF8.GetBytes("x"), Token), () => _store.KeysAsync(_server.Host, "d/?secret"),
        ])
        {
            var failure = await FailsAsync(FailureReason.InvalidDocument, action);
            Assert.Contains(_server.Host, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Download_LargeWithRanges_ComesInParts()
    {
        var large = Content(3_000_000);
        foreach (var ranges in (bool[])[true, false])
        {
            using var folder = new TemporaryFolder();
            _server.Files["/f"] = Tagged with { Content = large, Ranges = ranges };
            var info = await _store.StatAsync(_server.Host, "f", Token);
            var before = _server.Count("GET");
            await new Download(new TransferScheduler(new TransferOptions { RangeSize = 1024 * 1024 })).ToFileAsync(new DownloadItem(_store, info!, folder["file"]), new TransferMeter(), Token);
            Assert.Equal(large, await File.ReadAllBytesAsync(folder["file"], Token));
            Assert.Equal(ranges ? 3 : 1, _server.Count("GET") - before);
        }
    }

    [Theory, InlineData(false, 1), InlineData(true, 3)]
    public async Task Download_LargeThatNothingTellsFromAnother_ComesInPartsIfItsChecksumIsDeclared(bool declared, int requests)
    {
        using var folder = new TemporaryFolder();
        var large = Content(3_000_000);
        _server.Files["/f"] = new WebFile(large);
        var info = await _store.StatAsync(_server.Host, "f", Token);
        var sha256 = declared ? Sisyphus.Engine.Storage.Checksums.ContentHash.Of(large).Sha256 : null;
        await new Download(new TransferScheduler(new TransferOptions { RangeSize = 1024 * 1024 })).ToFileAsync(new DownloadItem(_store, info!, folder["file"], sha256), new TransferMeter(), Token);
        Assert.Equal(large, await File.ReadAllBytesAsync(folder["file"], Token));
        Assert.Equal(requests, _server.Count("GET"));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(1_000_000)]
    public async Task Download_UnknownSize_TakesAllThatComes(int size)
    {
        using var folder = new TemporaryFolder();
        _server.Files["/f"] = new WebFile(Content(size)) { Ranges = false, SaysLength = false };
        var info = await _store.StatAsync(_server.Host, "f", Token);
        // Where nothing comes there is an end, and that is a length.
        Assert.True(info!.Size == ObjectInfo.UnknownSize || size == 0);
        var meter = new TransferMeter();
        var sums = await new Download(new TransferScheduler(new TransferOptions())).ToFileAsync(new DownloadItem(_store, info, folder["file"]), meter, Token);
        Assert.Equal(size, sums.Size);
        Assert.Equal((size, size), (meter.Current.Bytes, meter.Current.TotalBytes));
    }
}
