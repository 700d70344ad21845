using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Http;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Web;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Http;

public sealed class HttpFaultTests : IAsyncLifetime
{
    private static readonly byte[] Whole = Content(400_000);
    private WebServer _server = null!;
    private HttpObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await WebServer.StartAsync();
        _store = WebStores.Open();
        _server.Files["/f"] = new WebFile(Whole) { ETag = "\"1\"" };
        _server.Files["/plain"] = new WebFile(Whole) { ETag = "\"1\"", Ranges = false };
        _server.Files["/endless"] = new WebFile(Whole) { Ranges = false, SaysLength = false };
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    // A damaged byte nobody can see who knows no checksum: with one it is seen.
    public static TheoryData<string, FaultKind> Kinds
    {
        get
        {
            var data = new TheoryData<string, FaultKind>();
            foreach (var file in (string[])["f", "plain", "endless"])
            {
                foreach (var kind in (FaultKind[])[FaultKind.ResetBeforeHeaders, FaultKind.ResetInAnswer, FaultKind.AnswerLost, FaultKind.TooManyRequests, FaultKind.InternalError, FaultKind.Unavailable, FaultKind.CorruptAnswer, FaultKind.Stalled, FaultKind.Truncated])
                {
                    // An end that looks like one, of a content whose length nobody has said, is one; the checksum tells.
                    data.Add(file, kind);
                }
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Download_GoesWrongOnce_IsOvercome(string file, FaultKind kind)
    {
        var info = await _store.StatAsync(_server.Host, file, Token);
        var before = _server.Count("GET");
        _server.Inject(new Fault("GET", kind));
        using var folder = new TemporaryFolder();
        var meter = new TransferMeter();
        var sha256 = Sisyphus.Engine.Storage.Checksums.ContentHash.Of(Whole).Sha256;
        var sums = await new Download(new TransferScheduler(WebStores.Quick)).ToFileAsync(new DownloadItem(_store, info!, folder["file"], sha256), meter, Token);
        FaultMatrix.Report("Http", $"GET {file}", kind, once: true, FaultMatrix.Overcome, _server.Count("GET") - before, 0, 0);
        Assert.Equal(sha256, sums.Sha256);
        Assert.Equal(Whole, await File.ReadAllBytesAsync(folder["file"], Token));
        Assert.Equal(2, _server.Count("GET") - before);
        Assert.Equal(Whole.Length, meter.Current.Bytes);
        if (file == "f" && kind is FaultKind.ResetInAnswer or FaultKind.Truncated && _server.Requests.Last().Range.Length > 0)
            Assert.Equal("\"1\"", _server.Requests.Last().IfRange);
    }

    [Fact]
    public async Task Download_BreaksOfWhatNothingTellsFromAnother_BeginsAnew()
    {
        _server.Files["/any"] = new WebFile(Whole);
        var info = await _store.StatAsync(_server.Host, "any", Token);
        _server.Inject(new Fault("GET", FaultKind.ResetInAnswer));
        using var folder = new TemporaryFolder();
        var meter = new TransferMeter();
        await new Download(new TransferScheduler(WebStores.Quick)).ToFileAsync(new DownloadItem(_store, info!, folder["file"]), meter, Token);
        Assert.Equal(Whole, await File.ReadAllBytesAsync(folder["file"], Token));
        Assert.Equal(("", Whole.Length), (_server.Requests.Last().Range, meter.Current.Bytes));
    }

    [Theory, InlineData(FaultKind.ResetBeforeHeaders), InlineData(FaultKind.TooManyRequests), InlineData(FaultKind.InternalError), InlineData(FaultKind.Unavailable), InlineData(FaultKind.Stalled)]
    public async Task Stat_GoesWrong_IsTriedThreeTimes(FaultKind kind)
    {
        _server.Inject(new Fault("HEAD", kind));
        Assert.NotNull(await _store.StatAsync(_server.Host, "f", Token));
        FaultMatrix.Report("Http", "HEAD", kind, once: true, FaultMatrix.Overcome, _server.Count("HEAD"), 0, 0);
        Assert.Equal(2, _server.Count("HEAD"));
        if (kind is FaultKind.Stalled or FaultKind.ResetBeforeHeaders)
            return;
        _server.Inject(new Fault("HEAD", kind, int.MaxValue));
        // Only for an error that passes it is the other way of asking that helps no more.
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.StatAsync(_server.Host, "f", Token));
        Assert.True(failure.IsRetryable);
        FaultMatrix.Report("Http", "HEAD", kind, once: false, failure.Reason.ToString(), _server.Count("HEAD") - 2, 0, 0);
        Assert.Equal(5, _server.Count("HEAD"));
    }

    [Theory]
    [InlineData("f", FaultKind.ResetInAnswer), InlineData("plain", FaultKind.ResetInAnswer), InlineData("endless", FaultKind.ResetInAnswer)]
    [InlineData("f", FaultKind.Truncated), InlineData("f", FaultKind.Silent), InlineData("endless", FaultKind.Silent)]
    public async Task Read_ContentCutOrSilent_IsTransferFailedAndMayBeTriedAgain(string file, FaultKind kind)
    {
        var info = await _store.StatAsync(_server.Host, file, Token);
        _server.Inject(new Fault("GET", kind, int.MaxValue));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.ReadAsync(info!));
        Assert.True(failure.IsRetryable);
        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_NothingComes_EndsWhenItIsCanceled()
    {
        var info = await _store.StatAsync(_server.Host, "f", Token);
        using var canceled = new CancellationTokenSource();
        _server.Inject(new Fault("GET", FaultKind.Stalled));
        var reading = _store.OpenReadAsync(info!, 0, canceled.Token);
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task Download_OtherContentThanDeclared_IsFetchedOnceMoreAndNamesBothSums()
    {
        var info = await _store.StatAsync(_server.Host, "f", Token);
        using var folder = new TemporaryFolder();
        var declared = new string('0', 64);
        var failure = await FailsAsync(FailureReason.InputCorrupt, () => new Download(new TransferScheduler(WebStores.Quick)).ToFileAsync(new DownloadItem(_store, info!, folder["file"], declared), new TransferMeter(), Token));
        Assert.False(failure.IsRetryable);
        Assert.Equal(2, _server.Count("GET"));
        Assert.Contains(declared, failure.Message, StringComparison.Ordinal);
        Assert.Contains(Sisyphus.Engine.Storage.Checksums.ContentHash.Of(Whole).Sha256, failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["file"]));
    }

    [Fact]
    public async Task Stat_NobodyListens_SaysSo()
    {
        var host = _server.Host;
        await _server.DisposeAsync();
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.StatAsync(host, "f?sig=secret", Token));
        Assert.True(failure.IsRetryable);
        Assert.Contains("refused", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }
}
