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

public sealed class GoogleUploadTests : IAsyncLifetime
{
    private const int Chunk = GoogleStores.Chunk;
    private const int Size = (7 * Chunk / 2) + 1;

    private GoogleEmulator _emulator = null!;
    private StoreParts _parts = null!;
    private GoogleObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync();
        _emulator.CreateBucket("bucket");
        _parts = GoogleStores.PatientParts(_emulator);
        _store = GoogleStores.Open(_emulator, parts: _parts);
    }

    public ValueTask DisposeAsync() => _emulator.DisposeAsync();

    [Theory, InlineData(0), InlineData(1), InlineData(Chunk - 1), InlineData(Chunk), InlineData(Chunk + 1), InlineData(2 * Chunk), InlineData((2 * Chunk) + 1)]
    public async Task Put_SizesAroundAChunk_ArriveThoughNobodyKnowsTheLength(int size)
    {
        await using var content = new FaultyStream(Content(size), chunk: 1000);
        var put = await _store.PutAsync("bucket", "k", content, Token);
        Assert.Equal((size, Crc32C.Of(Content(size))), (put.Size, put.Crc32C!.Value));
        Assert.Equal(Content(size), await _store.ReadAsync(put));
        Assert.Equal(size < Chunk ? (1, 0) : (0, 1), (_emulator.Count("put"), _emulator.Count("upload.start")));
    }

    [Fact]
    public async Task Put_ContentBreaksWithAState_AnotherProcessGoesOn()
    {
        var kept = await BreakAsync();
        Assert.Equal(1, _emulator.OpenUploads);
        var sent = _emulator.Received("upload.chunk");

        var state = new UploadState(kept, token => kept = token);
        var put = await GoogleStores.Open(_emulator).PutAsync("bucket", "k", new MemoryStream(Content(Size)), state, Token);

        Assert.Equal(Content(Size), await _store.ReadAsync(put));
        Assert.Equal(Size - (2 * Chunk), _emulator.Received("upload.chunk") - sent);
        Assert.Equal(((string?)null, 0), (kept, _emulator.OpenUploads));
        Assert.Equal(1, _emulator.Count("upload.start"));
    }

    [Fact]
    public async Task Put_SessionIsGone_StartsOverInTheSameCall()
    {
        var state = new UploadState(await BreakAsync());
        _emulator.ExpireUploads();
        Assert.Equal(Content(Size), await _store.ReadAsync(await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), state, Token)));
        Assert.Equal((2, (string?)null), (_emulator.Count("upload.start"), state.Token));
    }

    [Fact]
    public async Task Put_SessionGoesWhileContentIsRead_FailsSoThatTheCallerRepeats()
    {
        var state = new UploadState();
        await using var content = new FaultyStream(Content(Size), onRead: position =>
        {
            if (position >= 2 * Chunk)
                _emulator.ExpireUploads();
        });
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "k", content, state, Token));
        Assert.Equal((true, (string?)null), (failure.IsRetryable, state.Token));
        Assert.NotNull(await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), state, Token));
    }

    [Fact]
    public async Task Put_EndedAndNobodyHeardOfIt_SendsNothingAgain()
    {
        string? kept = null;
        await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(null, token => kept = token ?? kept), Token);
        var sent = _emulator.Received("upload.chunk");
        var put = await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(kept), Token);
        Assert.Equal((sent, Crc32C.Of(Content(Size))), (_emulator.Received("upload.chunk"), put.Crc32C!.Value));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Put_EndedAndNoLongerThere_IsSentAgain(bool replaced)
    {
        string? kept = null;
        await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(null, token => kept = token ?? kept), Token);
        if (replaced)
            await _store.PutAsync("bucket", "k", "another");
        else
            await _store.DeleteAsync("bucket", "k", Token);

        var put = await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(kept), Token);

        Assert.Equal(put, await _store.StatAsync("bucket", "k", Token));
        Assert.Equal(Content(Size), await _store.ReadAsync(put));
    }

    [Fact]
    public async Task Put_EndedByOneWhoMayNotLook_SendsNothingAgain()
    {
        string? kept = null;
        await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(null, token => kept = token ?? kept), Token);
        _emulator.Inject(new Fault("stat", FaultKind.Forbidden, int.MaxValue));
        await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(kept), Token);
        Assert.Equal(Size, _emulator.Received("upload.chunk"));
    }

    [Fact]
    public async Task Put_EndedWithOtherContent_IsNotTaken()
    {
        string? kept = null;
        await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size)), new UploadState(null, token => kept = token ?? kept), Token);
        var state = new UploadState(kept);
        await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "k", new MemoryStream(Content(Size, 2)), state, Token));
        Assert.Equal(Content(Size, 2), await _store.ReadAsync(await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size, 2)), state, Token)));
    }

    [Fact]
    public async Task Put_OtherContentThanThatWhichBroke_IsNeverMixed()
    {
        var state = new UploadState(await BreakAsync());
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "k", new MemoryStream(Content(Size, 2)), state, Token));
        Assert.True(failure.IsRetryable);
        Assert.Null(await _store.StatAsync("bucket", "k", Token));
        Assert.Equal(Content(Size, 2), await _store.ReadAsync(await _store.PutAsync("bucket", "k", new MemoryStream(Content(Size, 2)), state, Token)));
    }

    [Fact]
    public async Task Put_ShorterContentThanThatWhichBroke_IsNeverMixed()
    {
        var state = new UploadState(await BreakAsync());
        await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "k", new MemoryStream(Content(Chunk)), state, Token));
        Assert.Null(await _store.StatAsync("bucket", "k", Token));
        Assert.Equal((0, (string?)null), (_emulator.OpenUploads, state.Token));
    }

    [Fact]
    public async Task Put_StateOfAnotherServer_AsksThatServerNothing()
    {
        await using var other = await GoogleEmulator.StartAsync();
        var state = new UploadState($"{other.Address}upload/storage/v1/b/bucket/o?uploadType=resumable&upload_id=1");
        using var tokens = new GoogleTokens();
        await GoogleStores.Open(_emulator, credentials: tokens.Credentials).PutAsync("bucket", "k", new MemoryStream(Content(Size)), state, Token);
        Assert.Empty(other.Requests);
    }

    [Fact]
    public async Task Put_ServiceKeepsAPartOfEachChunk_SendsTheRest()
    {
        _emulator.Options.KeptOfChunk = Chunk;
        var store = GoogleStores.Open(_emulator, chunk: 4 * Chunk);
        var content = Content((9 * Chunk) + 5);
        Assert.Equal(content, await store.ReadAsync(await store.PutAsync("bucket", "k", content)));
        Assert.Equal(1, _emulator.Count("upload.start"));
    }

    [Fact]
    public async Task Put_ContentBreaksWithoutAState_GivesTheSessionUp()
    {
        await using var content = new FaultyStream(Content(Size), failAt: 2 * Chunk);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _store.PutAsync("bucket", "k", content, Token));
        Assert.Equal((0, 1), (_emulator.OpenUploads, _emulator.Count("upload.cancel")));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Upload_GivenUp_LeavesASessionOnlyForTheOneWhoGoesOn(bool remembered)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["file"], Content((int)UploadJournal.MinSize), Token);
        _emulator.Inject(new Fault("upload.chunk", FaultKind.Unavailable, int.MaxValue, skip: 1));
        var scheduler = new TransferScheduler(new TransferOptions { Attempts = 1, BaseDelay = TimeSpan.FromMilliseconds(1), JournalFolder = remembered ? folder["uploads"] : null });
        var store = GoogleStores.Open(_emulator);

        await FailsAsync(FailureReason.TransferFailed, () => new Upload(scheduler).FromFileAsync(folder["file"], new ObjectLocation(store, "bucket", "k"), new TransferMeter(), Token));

        Assert.Equal(remembered ? (1, 0) : (0, 1), (_emulator.OpenUploads, _emulator.Count("upload.cancel")));
    }

    [Fact]
    public async Task Put_MissingBucket_NamesIt()
    {
        foreach (var size in (int[])[1, Size])
        {
            var failure = await FailsAsync(FailureReason.InputMissing, () => _store.PutAsync("missing", "k", Content(size)));
            Assert.Contains("'missing'", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Put_SixteenAtOnce_TakeOneChunkOfMemoryEach()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _store.PutAsync("bucket", $"k{i}", Content(Size, i))));
        Assert.InRange(_parts.Memory.Peak, Chunk, 16 * Chunk);
        Assert.Equal(0, _parts.Memory.Used);
    }

    /// <summary>Half an upload's state.</summary>
    private async Task<string> BreakAsync()
    {
        string? kept = null;
        await using var breaking = new FaultyStream(Content(Size), failAt: (2 * Chunk) + 10);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _store.PutAsync("bucket", "k", breaking, new UploadState(null, token => kept = token), Token));
        return kept!;
    }
}
