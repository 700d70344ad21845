using Azure.Storage.Blobs.Models;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Azure;

/// <summary>Everything that can go wrong on the way, with everything that a store is asked for.</summary>
public sealed class AzureFaultTests(Azurite server) : IAsyncLifetime, IClassFixture<Azurite>
{
    private const int Chunk = 256 * 1024;
    private const int Size = (5 * Chunk / 2) + 1;
    private static readonly AzureBlocks Small = new(Chunk, 1000, Chunk);
    private static readonly string[] Operations = ["GetBlob", "PutBlock", "PutBlockList", "ListBlobs", "CopyBlobFromUrl", "PutBlockFromUrl", "PutBlob", "DeleteBlob"];
    private static int _containers;

    private readonly string _bucket = $"faults-{Interlocked.Increment(ref _containers)}";
    private ForwardingServer _traffic = null!;
    private StoreParts _parts = null!;
    private AzureObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await server.Service.CreateBlobContainerAsync(_bucket, cancellationToken: Token);
        _traffic = await AzureTraffic.StartAsync(server);
        _parts = Azurite.Parts(new TransferOptions { BaseDelay = TimeSpan.FromMilliseconds(1), StallTimeout = TimeSpan.FromSeconds(1) });
        _store = Open();
        var patient = server.Open(blocks: Small);
        await patient.PutAsync(_bucket, "source", Content(Chunk));
        await patient.PutAsync(_bucket, "large", Content(Size));
    }

    public async ValueTask DisposeAsync()
    {
        await _traffic.DisposeAsync();
        await server.Service.DeleteBlobContainerAsync(_bucket, cancellationToken: CancellationToken.None);
    }

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

    // The slow ones are tried once only. A damaged content that was sent again undamaged has gone well.
    public static TheoryData<string, FaultKind> Lasting => [.. Passing.Where(row => row.Data.Item2 is not (FaultKind.Truncated or FaultKind.Stalled or FaultKind.CorruptAnswer or FaultKind.ResetInAnswer) && !IsFoundOut(row.Data.Item1, row.Data.Item2))];

    // A marker that was written each time is found in the end, and that is no failure.
    private static bool IsFoundOut(string operation, FaultKind kind) => kind == FaultKind.AnswerLost && operation is "PutBlob" or "DeleteBlob";

    // What has no content can't be cut or damaged. A damaged answer in XML is TLS's business, and none of the checksums'.
    private static bool Applies(string operation, FaultKind kind) => kind switch
    {
        FaultKind.ResetInRequest or FaultKind.CorruptRequest => operation is "PutBlock" or "PutBlob",
        FaultKind.Truncated or FaultKind.ResetInAnswer => operation is "GetBlob" or "ListBlobs",
        FaultKind.CorruptAnswer => operation == "GetBlob",
        _ => true,
    };

    [Theory, MemberData(nameof(Passing))]
    public async Task Once_AnyFault_IsOvercomeByOneMoreRequest(string operation, FaultKind kind)
    {
        _traffic.Inject(new Fault(operation, kind));

        await AskAsync(operation);

        Report(operation, kind, once: true, FaultMatrix.Overcome);
        var regular = operation is "PutBlock" or "PutBlockFromUrl" ? 3 : 1;
        Assert.Equal(regular + 1, _traffic.Count(operation));
        // Nothing but the piece that was on its way is sent again.
        if (operation == "PutBlock")
            Assert.InRange(_traffic.Received(operation), Size, Size + Chunk);
        Assert.InRange(_parts.Memory.Peak, 0, Chunk);
        Assert.Equal(0, _parts.Memory.Used);
    }

    [Theory, MemberData(nameof(Lasting))]
    public async Task Always_AnyFault_FailsAfterThreeTriesWithTheReason(string operation, FaultKind kind)
    {
        _traffic.Inject(new Fault(operation, kind, int.MaxValue));

        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => AskAsync(operation));

        Report(operation, kind, once: false, failure.Reason.ToString());
        var expired = kind == FaultKind.ExpiredToken;
        Assert.Equal(expired ? FailureReason.InputDenied : FailureReason.TransferFailed, failure.Reason);
        Assert.Equal(!expired, failure.IsRetryable);
        Assert.Contains(_bucket, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Azurite.Key, failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", failure.ToString(), StringComparison.Ordinal);
        // Download has tries of its own, which begin where the last one ended; ranges of a copy go side by side.
        if (operation is not ("GetBlob" or "PutBlockFromUrl"))
            Assert.Equal(expired ? 2 : 3, _traffic.Count(operation));
        Assert.Equal(0, _parts.Memory.Used);
    }

    [Fact]
    public async Task Create_DoneButNeverAnswered_IsFoundOut()
    {
        _traffic.Inject(new Fault("PutBlob", FaultKind.AnswerLost, int.MaxValue));
        await AskAsync("PutBlob");
        Report("PutBlob", FaultKind.AnswerLost, once: false, FaultMatrix.FoundOut);
    }

    [Fact]
    public async Task Download_DamagedEachTime_IsInputCorrupt()
    {
        _traffic.Inject(new Fault("GetBlob", FaultKind.CorruptAnswer, int.MaxValue));
        await FailsAsync(FailureReason.InputCorrupt, () => AskAsync("GetBlob"));
    }

    [Theory, InlineData(FaultKind.Truncated), InlineData(FaultKind.ResetInAnswer), InlineData(FaultKind.Silent)]
    public async Task Read_ContentCutOrSilent_IsTransferFailedAndMayBeTriedAgain(FaultKind kind)
    {
        var info = await _store.StatAsync(_bucket, "large", Token);
        _traffic.Inject(new Fault("GetBlob", kind, int.MaxValue));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.ReadAsync(info!));
        Assert.True(failure.IsRetryable);
        Assert.Contains($"{_bucket}:large", failure.Message, StringComparison.Ordinal);
    }

    // Azure's library makes the second connection inside of the read.
    [Fact]
    public async Task Read_BreaksAndThenNothingComes_IsTransferFailedInTime()
    {
        var info = await _store.StatAsync(_bucket, "large", Token);
        _traffic.Inject(new Fault("GetBlob", FaultKind.ResetInAnswer));
        _traffic.Inject(new Fault("GetBlob", FaultKind.Stalled, int.MaxValue));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.ReadAsync(info!).WaitAsync(TimeSpan.FromSeconds(20), Token));
        Assert.True(failure.IsRetryable);
        Assert.Contains("nothing came", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_BreaksAndThenNothingComes_EndsWhenItIsCanceled()
    {
        using var canceled = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var patient = server.Open(Azurite.Parts(new TransferOptions { StallTimeout = TimeSpan.FromMinutes(5) }), new Uri(_traffic.Address, Azurite.Account), Small, Chunk);
        var info = await patient.StatAsync(_bucket, "large", Token);
        var silent = new Fault("GetBlob", FaultKind.Stalled, int.MaxValue);
        _traffic.Inject(new Fault("GetBlob", FaultKind.ResetInAnswer));
        _traffic.Inject(silent);
        await using var stream = await patient.OpenReadAsync(info!, 0, Token);
        var reading = stream.CopyToAsync(Stream.Null, canceled.Token);
        while (silent.Strokes == 0)
            await Task.Delay(10, Token);
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(TimeSpan.FromSeconds(20), Token));
    }

    [Theory, InlineData("CopyBlobFromUrl"), InlineData("PutBlockFromUrl")]
    public async Task Copy_SourceThatMayNotBeRead_IsDenied(string operation)
    {
        _traffic.Inject(new Fault(operation, FaultKind.Forbidden, int.MaxValue));
        var failure = await FailsAsync(FailureReason.InputDenied, () => AskAsync(operation));
        Assert.DoesNotContain("sig=", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copy_AnotherOneCommitsTheSameMeanwhile_StartsOver()
    {
        var source = await _store.StatAsync(_bucket, "large", Token);
        var held = new Fault("PutBlockList", FaultKind.Held);
        _traffic.Inject(held);
        var first = _store.CopyAsync(source!, "copy", Token);
        await held.Struck;
        await server.Open(blocks: Small, largestCopy: Chunk).CopyAsync(source!, "copy", Token);
        held.Release();
        Assert.Equal(Content(Size), await _store.ReadAsync(await first));
        Assert.Equal(6, _traffic.Count("PutBlockFromUrl"));
    }

    [Fact]
    public async Task Copy_ServiceWorksForLongerThanNothingMayMove_IsWaitedFor()
    {
        // For six seconds at the rate that is asked of a service, on top of the one in which nothing moves.
        await using var content = new ZeroStream(96 * 1024 * 1024);
        var source = await server.Open().PutAsync(_bucket, "long", content, null, Token);
        var held = new Fault("CopyBlobFromUrl", FaultKind.Held);
        _traffic.Inject(held);
        var copying = server.Open(_parts, new Uri(_traffic.Address, Azurite.Account)).CopyAsync(source, "copy", Token);
        await held.Struck;
        await Task.Delay(TimeSpan.FromSeconds(2.5), Token);
        held.Release();
        Assert.Equal(source.Size, (await copying).Size);
        Assert.Equal(1, _traffic.Count("CopyBlobFromUrl"));
    }

    [Fact]
    public async Task Copy_OfNoBytes_IsAnObjectOfNoBytes()
    {
        var empty = await _store.PutAsync(_bucket, "empty", "");
        Assert.Empty(await _store.ReadAsync(await _store.CopyAsync(empty, "copy", Token)));
    }

    [Fact]
    public async Task Create_SomebodyElsesOfTheSameSizeAndChecksum_IsNotTakenForOurs()
    {
        var blob = server.Service.GetBlobContainerClient(_bucket).GetBlobClient("marker");
        await blob.UploadAsync(new BinaryData(Content(100, 2)), new BlobUploadOptions { Metadata = AzureObjects.Metadata(Crc32C.Of(Content(100))) }, Token);
        _traffic.Inject(new Fault("PutBlob", FaultKind.ResetBeforeHeaders));
        Assert.Null(await _store.CreateIfAbsentAsync(_bucket, "marker", Content(100), Token));
    }

    [Theory, MemberData(nameof(StoreRequests.Names), MemberType = typeof(StoreRequests))]
    public async Task Any_NobodyListens_SaysSo(string request)
    {
        var known = await _store.StatAsync(_bucket, "large", Token);
        var address = _traffic.Address;
        await _traffic.DisposeAsync();
        var failure = await FailsAsync(FailureReason.TransferFailed, () => StoreRequests.AskAsync(_store, known!, request, Token));
        Assert.True(failure.IsRetryable);
        Assert.Contains($"refused ({address.Authority})", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_ContentBreaksWithAState_GoesOnWhereItEnded()
    {
        string? kept = null;
        await using (var breaking = new FaultyStream(Content(Size), failAt: (2 * Chunk) + 10))
            await Assert.ThrowsAsync<InvalidOperationException>(() => _store.PutAsync(_bucket, "k", breaking, new UploadState(null, token => kept = token), Token));
        Assert.NotNull(kept);
        Assert.Null(await _store.StatAsync(_bucket, "k", Token));
        var sent = _traffic.Received("PutBlock");

        // As another process does.
        var state = new UploadState(kept, token => kept = token);
        var put = await Open().PutAsync(_bucket, "k", new MemoryStream(Content(Size)), state, Token);
        state.Clear();

        Assert.Equal(Content(Size), await _store.ReadAsync(put));
        Assert.Equal(Size - (2 * Chunk), _traffic.Received("PutBlock") - sent);
        Assert.Equal(put, await _store.StatAsync(_bucket, "k", Token));
    }

    [Fact]
    public async Task Put_OtherContentThanTheOneThatBroke_IsNotPutTogetherWithIt()
    {
        string? kept = null;
        await using (var breaking = new FaultyStream(Content(Size), failAt: (2 * Chunk) + 10))
            await Assert.ThrowsAsync<InvalidOperationException>(() => _store.PutAsync(_bucket, "k", breaking, new UploadState(null, token => kept = token), Token));

        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync(_bucket, "k", new MemoryStream(Content(Size, 2)), new UploadState(kept, token => kept = token), Token));

        Assert.True(failure.IsRetryable);
        Assert.Null(await _store.StatAsync(_bucket, "k", Token));
        var put = await _store.PutAsync(_bucket, "k", new MemoryStream(Content(Size, 2)), new UploadState(kept, token => kept = token), Token);
        Assert.Equal(Content(Size, 2), await _store.ReadAsync(put));
    }

    [Fact]
    public async Task Put_StateOfAnUploadThatIsGone_StartsOver()
    {
        string? kept = "0123456789abcdef";
        var put = await _store.PutAsync(_bucket, "k", new MemoryStream(Content(Size)), new UploadState(kept, token => kept = token), Token);
        Assert.Equal(Content(Size), await _store.ReadAsync(put));
        Assert.NotEqual("0123456789abcdef", kept);
    }

    private AzureObjectStore Open() => server.Open(_parts, new Uri(_traffic.Address, Azurite.Account), Small, Chunk);

    private void Report(string operation, FaultKind kind, bool once, string outcome)
    {
        var content = operation switch { "PutBlock" => Size, "PutBlob" => 100, _ => 0 };
        var again = content == 0 ? 0 : Math.Max(0, _traffic.Received(operation) - content);
        FaultMatrix.Report("Azure", operation, kind, once, outcome, _traffic.Count(operation), again, _parts.Memory.Peak);
    }

    private async Task AskAsync(string operation)
    {
        var patient = server.Open();
        switch (operation)
        {
            case "GetBlob":
                using (var folder = new TemporaryFolder())
                {
                    var info = await _store.StatAsync(_bucket, "large", Token);
                    var sums = await new Download(new TransferScheduler(_parts.Transfers)).ToFileAsync(new DownloadItem(_store, info!, folder["file"]), new TransferMeter(), Token);
                    Assert.Equal(info!.Crc32C, sums.Crc32C);
                }
                break;
            case "PutBlock" or "PutBlockList":
                Assert.Equal(Content(Size, 7), await patient.ReadAsync(await _store.PutAsync(_bucket, "put", Content(Size, 7))));
                break;
            case "ListBlobs":
                Assert.Equal(["large", "source"], await _store.KeysAsync(_bucket));
                break;
            case "CopyBlobFromUrl":
                Assert.Equal(Content(Chunk), await patient.ReadAsync(await _store.CopyAsync((await _store.StatAsync(_bucket, "source", Token))!, "copy", Token)));
                break;
            case "PutBlockFromUrl":
                var source = await _store.StatAsync(_bucket, "large", Token);
                var copy = await _store.CopyAsync(source!, "copy", Token);
                Assert.Equal(Content(Size), await patient.ReadAsync(copy));
                Assert.Equal(copy, await patient.StatAsync(_bucket, "copy", Token));
                break;
            case "PutBlob":
                Assert.NotNull(await _store.CreateIfAbsentAsync(_bucket, "marker", Content(100), Token));
                Assert.Equal(Content(100), await patient.ReadAsync(_bucket, "marker"));
                break;
            case "DeleteBlob":
                await _store.DeleteAsync(_bucket, "source", Token);
                Assert.Null(await patient.StatAsync(_bucket, "source", Token));
                break;
        }
    }
}
