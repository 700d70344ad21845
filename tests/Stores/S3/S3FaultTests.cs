using System.Diagnostics.CodeAnalysis;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Everything that can go wrong on the way, with everything that a store is asked for.</summary>
public sealed class S3FaultTests : IAsyncLifetime
{
    private const int Size = (5 * S3Stores.Chunk / 2) + 1;
    private S3Emulator _emulator = null!;
    private StoreParts _parts = null!;
    private S3ObjectStore _store = null!;
    private int _requests;
    private long _bytes;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await S3Stores.StartAsync(S3Stores.SmallServer, "bucket");
        Open(TimeSpan.FromSeconds(20));
        await _store.PutAsync("bucket", "source", Content(S3Stores.Chunk));
        // What the server can do is known before anything goes wrong.
        await _store.CreatesExclusivelyAsync("bucket", Token);
        await _store.PutAsync("bucket", "large", Content(Size));
    }

    public ValueTask DisposeAsync() => _emulator.DisposeAsync();

    [MemberNotNull(nameof(_parts), nameof(_store))]
    private void Open(TimeSpan stallTimeout)
    {
        _parts = S3Stores.Parts(_emulator, new TransferOptions { BaseDelay = TimeSpan.FromMilliseconds(1), StallTimeout = stallTimeout });
        _store = S3Stores.Open(_emulator, _parts, S3Stores.Small);
    }

    private static readonly string[] Operations = ["GetObject", "HeadObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "ListObjectsV2", "CopyObject", "UploadPartCopy", "PutObject", "DeleteObject"];

    public static TheoryData<string, FaultKind> Passing
    {
        get
        {
            var data = new TheoryData<string, FaultKind>();
            foreach (var operation in Operations)
            {
                foreach (var kind in FaultKinds.Passing)
                {
                    if (Applies(operation, kind))
                        data.Add(operation, kind);
                }
            }
            return data;
        }
    }

    // The slow ones are tried once only. What was done each time is found out in the end, and that is no failure.
    public static TheoryData<string, FaultKind> Lasting =>
        [.. Passing.Where(row => row.Data.Item2 is not (FaultKind.Truncated or FaultKind.Stalled or FaultKind.CorruptAnswer) && row.Data.Item1 != "UploadPartCopy" && !IsFoundOut(row.Data.Item1, row.Data.Item2))];

    public static TheoryData<string, FaultKind> FoundOut => [.. Passing.Where(row => IsFoundOut(row.Data.Item1, row.Data.Item2))];

    private static bool IsFoundOut(string operation, FaultKind kind) => 
        (kind is FaultKind.AnswerLost or FaultKind.ResetInAnswer or FaultKind.Truncated) && (operation is "CompleteMultipartUpload" or "PutObject");

    // What has no content can't be cut or damaged. A damaged answer in XML is TLS's business, and none of the checksums'.
    private static bool Applies(string operation, FaultKind kind) => kind switch
    {
        FaultKind.ResetInRequest or FaultKind.CorruptRequest => operation is "UploadPart" or "PutObject",
        FaultKind.Truncated or FaultKind.ResetInAnswer => operation is not ("HeadObject" or "UploadPart" or "PutObject" or "DeleteObject"),
        FaultKind.CorruptAnswer => operation == "GetObject",
        _ => true,
    };

    [Theory, MemberData(nameof(Passing))]
    public async Task Once_AnyFault_IsOvercomeByOneMoreRequest(string operation, FaultKind kind)
    {
        // Not shorter for the others: a machine may have much else to do.
        if (kind == FaultKind.Stalled)
            Open(TimeSpan.FromSeconds(1));
        Inject(operation, kind, 1);

        await AskAsync(operation);

        Report(operation, kind, once: true, FaultMatrix.Overcome);
        var regular = operation switch { "UploadPart" or "UploadPartCopy" => 3, _ => 1 };
        Assert.Equal(regular + 1, _emulator.Count(operation) - _requests);
        // Nothing but the piece that was on its way is sent again.
        if (ContentOf(operation) is var content and > 0)
            Assert.InRange(_emulator.Received(operation) - _bytes, content, content + S3Stores.Chunk);
        Assert.InRange(_parts.Memory.Peak, 0, S3Stores.Chunk);
        Assert.Equal(0, _parts.Memory.Used);
        // Of an upload whose beginning was answered to nobody nobody knows.
        Assert.Equal(operation == "CreateMultipartUpload" && (kind is FaultKind.AnswerLost or FaultKind.Truncated or FaultKind.ResetInAnswer) ? 1 : 0, _emulator.OpenUploads("bucket"));
    }

    [Theory, MemberData(nameof(Lasting))]
    public async Task Always_AnyFault_FailsAfterThreeTriesWithTheReason(string operation, FaultKind kind)
    {
        Inject(operation, kind, int.MaxValue);

        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => AskAsync(operation));

        Report(operation, kind, once: false, failure.Reason.ToString());
        var expired = kind == FaultKind.ExpiredToken;
        Assert.Equal(expired ? FailureReason.InputDenied : FailureReason.TransferFailed, failure.Reason);
        Assert.Equal(!expired, failure.IsRetryable);
        Assert.Contains("bucket", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_emulator.Options.SecretKey, failure.ToString(), StringComparison.Ordinal);
        // Download has tries of its own, which begin where the last one ended.
        if (operation != "GetObject")
            Assert.Equal(expired ? 2 : 3, _emulator.Count(operation) - _requests);
        Assert.Equal(0, _parts.Memory.Used);
    }

    [Theory, MemberData(nameof(FoundOut))]
    public async Task Always_DoneButNeverAnswered_IsFoundOut(string operation, FaultKind kind)
    {
        Inject(operation, kind, int.MaxValue);
        await AskAsync(operation);
        Report(operation, kind, once: false, FaultMatrix.FoundOut);
    }

    [Fact]
    public async Task Download_DamagedEachTime_IsInputCorrupt()
    {
        _emulator.Inject(new Fault("GetObject", FaultKind.CorruptAnswer, int.MaxValue));
        await FailsAsync(FailureReason.InputCorrupt, () => AskAsync("GetObject"));
    }

    [Theory, InlineData(1024 * 1024), InlineData(32 * 1024 * 1024)]
    public async Task Download_ListedObjectDamagedEachTime_IsInputCorrupt(int rangeSize)
    {
        await S3Stores.Open(_emulator).PutAsync("bucket", "listed", Content((2 * 1024 * 1024) + 1));
        var listed = await _store.ListAsync("bucket", "listed", Token).SingleAsync(Token);
        _emulator.Inject(new Fault("GetObject", FaultKind.CorruptAnswer, int.MaxValue));
        using var folder = new TemporaryFolder();
        var scheduler = new TransferScheduler(new TransferOptions { BaseDelay = TimeSpan.FromMilliseconds(1), RangeSize = rangeSize });
        await FailsAsync(FailureReason.InputCorrupt, () => new Download(scheduler).ToFileAsync(new DownloadItem(_store, listed, folder["file"]), new TransferMeter(), Token));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Upload_GivenUp_LeavesNothingBegun(bool canceled)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder["file"], Content(Size), Token);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var fault = canceled ? new Fault("UploadPart", FaultKind.Stalled, int.MaxValue, skip: 1) : new Fault("UploadPart", FaultKind.InternalError, int.MaxValue, skip: 1);
        _emulator.Inject(fault);
        var upload = new Upload(new TransferScheduler(_parts.Transfers)).FromFileAsync(folder["file"], new ObjectLocation(_store, "bucket", "k"), new TransferMeter(), cancel.Token);
        if (canceled)
        {
            await fault.Struck;
            Assert.Equal(1, _emulator.OpenUploads("bucket"));
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
        }
        else
        {
            await FailsAsync(FailureReason.TransferFailed, () => upload);
        }
        Assert.Equal(0, _emulator.OpenUploads("bucket"));
    }

    [Fact]
    public async Task Copy_InPartsOfWhatHasNoChecksumAndNobodyAnswers_IsFoundOut()
    {
        _emulator.Put("bucket", "foreign", Content(Size, 3));
        var foreign = await _store.StatAsync("bucket", "foreign", Token);
        Assert.Null(foreign!.Crc32C);
        _emulator.Inject(new Fault("CompleteMultipartUpload", FaultKind.AnswerLost));
        Assert.Equal(Content(Size, 3), await _store.ReadAsync(await _store.CopyAsync(foreign, "copy", Token)));
    }

    [Fact]
    public async Task Copy_OfNoBytes_IsAnObjectOfNoBytes()
    {
        var empty = await _store.PutAsync("bucket", "empty", "");
        Assert.Empty(await _store.ReadAsync(await _store.CopyAsync(empty, "copy", Token)));
    }

    [Theory, InlineData(FaultKind.Truncated), InlineData(FaultKind.ResetInAnswer), InlineData(FaultKind.Silent)]
    public async Task Read_ContentCutOrSilent_IsTransferFailedAndMayBeTriedAgain(FaultKind kind)
    {
        if (kind == FaultKind.Silent)
            Open(TimeSpan.FromSeconds(1));
        var info = await _store.StatAsync("bucket", "large", Token);
        _emulator.Inject(new Fault("GetObject", kind));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.ReadAsync(info!));
        Assert.True(failure.IsRetryable);
        Assert.Contains("bucket:large", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_TokenCanceledWhileNothingComes_Ends()
    {
        using var canceled = new CancellationTokenSource();
        _emulator.Inject(new Fault("GetObject", FaultKind.Stalled));
        var info = await _store.StatAsync("bucket", "large", Token);
        var reading = _store.OpenReadAsync(info!, 0, canceled.Token);
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Theory, MemberData(nameof(StoreRequests.Names), MemberType = typeof(StoreRequests))]
    public async Task Any_NobodyListens_SaysSo(string request)
    {
        var address = _emulator.Address;
        var known = await _store.StatAsync("bucket", "source", Token);
        await _emulator.DisposeAsync();
        var failure = await FailsAsync(FailureReason.TransferFailed, () => StoreRequests.AskAsync(_store, known!, request, Token));
        Assert.True(failure.IsRetryable);
        Assert.Contains($"refused ({address.Authority})", failure.Message, StringComparison.Ordinal);
        Assert.Equal($"s3://{address.Authority}", _store.Name);
    }

    [Fact]
    public async Task Put_ContentBreaksWithAState_GoesOnWhereItEnded()
    {
        string? kept = null;
        await using (var breaking = new FaultyStream(Content(Size), failAt: 2 * S3Stores.Chunk + 10))
            await Assert.ThrowsAsync<InvalidOperationException>(() => _store.PutAsync("bucket", "k", breaking, new UploadState(null, token => kept = token), Token));
        Assert.NotNull(kept);
        Assert.Equal(1, _emulator.OpenUploads("bucket"));
        var sent = _emulator.Received("UploadPart");

        // As another process does.
        var state = new UploadState(kept, token => kept = token);
        var put = await S3Stores.Open(_emulator, limits: S3Stores.Small).PutAsync("bucket", "k", new MemoryStream(Content(Size)), state, Token);

        Assert.Equal(Content(Size), await _store.ReadAsync(put));
        Assert.Equal(Size - (2 * S3Stores.Chunk), _emulator.Received("UploadPart") - sent);
        Assert.Null(kept);
        Assert.Equal(0, _emulator.OpenUploads("bucket"));
    }

    private static int ContentOf(string operation) => operation switch { "UploadPart" => Size, "PutObject" => 100, _ => 0 };

    private void Inject(string operation, FaultKind kind, int times)
    {
        _emulator.Inject(new Fault(operation, kind, times));
        (_requests, _bytes) = (_emulator.Count(operation), _emulator.Received(operation));
    }

    private void Report(string operation, FaultKind kind, bool once, string outcome)
    {
        var again = ContentOf(operation) is var content and > 0 ? Math.Max(0, _emulator.Received(operation) - _bytes - content) : 0;
        FaultMatrix.Report("S3", operation, kind, once, outcome, _emulator.Count(operation) - _requests, again, _parts.Memory.Peak);
    }

    private async Task AskAsync(string operation)
    {
        switch (operation)
        {
            case "GetObject":
                using (var folder = new TemporaryFolder())
                {
                    var info = await _store.StatAsync("bucket", "large", Token);
                    var sums = await new Download(new TransferScheduler(_parts.Transfers)).ToFileAsync(new DownloadItem(_store, info!, folder["file"]), new TransferMeter(null, TimeProvider.System), Token);
                    Assert.Equal(info!.Crc32C, sums.Crc32C);
                }
                break;
            case "HeadObject":
                Assert.Equal(S3Stores.Chunk, (await _store.StatAsync("bucket", "source", Token))!.Size);
                break;
            case "CreateMultipartUpload" or "UploadPart" or "CompleteMultipartUpload":
                Assert.Equal(Content(Size, 7), await _store.ReadAsync(await _store.PutAsync("bucket", "put", Content(Size, 7))));
                break;
            case "ListObjectsV2":
                Assert.Equal(["large", "source"], await _store.KeysAsync("bucket"));
                break;
            case "CopyObject":
                Assert.Equal(Content(S3Stores.Chunk), await _store.ReadAsync(await _store.CopyAsync((await _store.StatAsync("bucket", "source", Token))!, "copy", Token)));
                break;
            case "UploadPartCopy":
                Assert.Equal(Content(Size), await _store.ReadAsync(await _store.CopyAsync((await _store.StatAsync("bucket", "large", Token))!, "copy", Token)));
                break;
            case "PutObject":
                Assert.NotNull(await _store.CreateIfAbsentAsync("bucket", "marker", Content(100), Token));
                Assert.Equal(Content(100), await _store.ReadAsync("bucket", "marker"));
                break;
            case "DeleteObject":
                await _store.DeleteAsync("bucket", "source", Token);
                Assert.Null(await _store.StatAsync("bucket", "source", Token));
                break;
        }
    }
}
