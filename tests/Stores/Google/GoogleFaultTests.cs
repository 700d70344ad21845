using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Google;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Google;

/// <summary>Everything that can go wrong on the way, with everything that a store is asked for.</summary>
public sealed class GoogleFaultTests : IAsyncLifetime
{
    private const int Chunk = GoogleStores.Chunk;
    // Two chunks and the last one.
    private const int Size = (5 * Chunk / 2) + 1;
    private const int Small = 4096;
    private const int Always = 1000;

    private const string Get = "get", Start = "upload.start", Send = "upload.chunk", Finish = "finish", Put = "put", List = "list", Stat = "stat", Copy = "copy", Decide = "create", Delete = "delete";

    private static readonly string[] Operations = [Get, Start, Send, Finish, Put, List, Stat, Copy, Decide, Delete];

    private readonly GoogleTokens _tokens = new();
    private GoogleEmulator _emulator = null!;
    private StoreParts _parts = null!;
    private GoogleObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _emulator = await GoogleEmulator.StartAsync();
        _emulator.CreateBucket("bucket");
        _parts = GoogleStores.Parts(_emulator);
        _store = GoogleStores.Open(_emulator, parts: _parts, credentials: _tokens.Credentials);
        await _store.PutAsync("bucket", "large", Content(Size));
        await _store.PutAsync("bucket", "source", Content(Small));
        _emulator.ForgetRequests();
    }

    public async ValueTask DisposeAsync()
    {
        await _emulator.DisposeAsync();
        _tokens.Dispose();
    }

    public static TheoryData<string, FaultKind> All
    {
        get
        {
            var data = new TheoryData<string, FaultKind>();
            foreach (var operation in Operations)
            {
                foreach (var kind in FaultKinds.Passing.Where(kind => Applies(operation, kind)))
                    data.Add(operation, kind);
            }
            return data;
        }
    }

    // What was done, although nobody heard of it, is found out. What stalls takes three times as long, and is tried with one of them.
    public static TheoryData<string, FaultKind> Lasting => [.. All.Where(row => !IsFoundOut(row.Data.Item1, row.Data.Item2) && (row.Data.Item2 != FaultKind.Stalled || row.Data.Item1 == List))];

    public static TheoryData<string, FaultKind> FoundOut => [.. All.Where(row => IsFoundOut(row.Data.Item1, row.Data.Item2))];

    public static TheoryData<string> AllOperations => [.. Operations];

    private static bool IsFoundOut(string operation, FaultKind kind) =>
        kind is FaultKind.AnswerLost or FaultKind.ResetInAnswer or FaultKind.Truncated && operation is Send or Finish or Decide or Delete;

    // What has no content can't be cut or damaged. A bit of an answer in JSON is TLS's business: it has no checksum of its own.
    private static bool Applies(string operation, FaultKind kind) => kind switch
    {
        FaultKind.ResetInRequest or FaultKind.CorruptRequest => operation is Send or Finish or Put or Decide,
        FaultKind.Truncated or FaultKind.ResetInAnswer => operation is not (Start or Send or Delete),
        FaultKind.CorruptAnswer => operation is Get,
        _ => true,
    };

    [Theory, MemberData(nameof(All))]
    public async Task Once_AnyFault_IsOvercomeWithWhatHasToBeSentAgain(string operation, FaultKind kind)
    {
        Inject(operation, kind, 1);

        await AskAsync(operation);

        var (requests, asked, again) = (operation, kind) switch
        {
            (Send or Finish, FaultKind.CorruptRequest) => (6, 0, Size),
            (Send or Finish, FaultKind.ExpiredToken) => (4, 0, Chunk),
            (Send or Finish, _) when IsFoundOut(operation, kind) => (3, 1, 0),
            (Send or Finish, _) => (4, 1, Chunk),
            _ => (2, 0, 2 * Small),
        };
        Report(operation, kind, once: true, FaultMatrix.Overcome);
        Assert.Equal((requests, asked), (_emulator.Count(NameOf(operation)), _emulator.Count("upload.ask")));
        if (operation is Send or Finish)
            Assert.InRange(_emulator.Received(Send), Size, Size + again);
        Assert.Equal(kind == FaultKind.ExpiredToken ? 2 : 1, _tokens.Given);
        Assert.InRange(_parts.Memory.Peak, 1, Chunk);
        Assert.Equal(0, _parts.Memory.Used);
        // Of an upload whose beginning was answered to nobody nobody knows.
        Assert.Equal((operation, kind) is (Start, FaultKind.AnswerLost) ? 1 : 0, _emulator.OpenUploads);
    }

    [Theory, MemberData(nameof(Lasting))]
    public async Task Always_AnyFault_FailsAfterThreeTriesWithTheReason(string operation, FaultKind kind)
    {
        Inject(operation, kind, Always);

        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => AskAsync(operation, once: true));

        Report(operation, kind, once: false, failure.Reason.ToString());
        var reason = kind switch { FaultKind.ExpiredToken => FailureReason.InputDenied, FaultKind.CorruptAnswer => FailureReason.InputCorrupt, _ => FailureReason.TransferFailed };
        Assert.Equal((reason, reason != FailureReason.InputDenied), (failure.Reason, failure.IsRetryable));
        Assert.Contains("bucket", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("token-", failure.ToString(), StringComparison.Ordinal);
        // Whoever knows the address of a session may write the object.
        Assert.DoesNotContain("upload_id", failure.ToString(), StringComparison.Ordinal);
        var expected = (operation, kind) switch
        {
            (_, FaultKind.ExpiredToken) => operation == Finish ? 4 : 2,
            (Send or Finish, FaultKind.CorruptRequest) => 3,
            (Finish, _) => 5,
            _ => 3,
        };
        // Downloads have tries of their own, which begin where the last one ended.
        if (operation != Get)
            Assert.Equal(expected, _emulator.Count(NameOf(operation)));
        Assert.Equal((0, 0), ((int)_parts.Memory.Used, operation == Start ? 0 : _emulator.OpenUploads));
        Assert.InRange(_parts.Memory.Peak, 1, Chunk);
    }

    [Theory, MemberData(nameof(FoundOut))]
    public async Task Always_DoneButNeverAnswered_IsFoundOut(string operation, FaultKind kind)
    {
        Inject(operation, kind, Always);
        await AskAsync(operation, once: true);
        Report(operation, kind, once: false, FaultMatrix.FoundOut);
        Assert.Equal(operation is Send or Finish ? Size : 0, _emulator.Received(Send));
    }

    [Theory, MemberData(nameof(AllOperations))]
    public async Task Always_NobodyListens_FailsAndSaysSo(string operation)
    {
        var info = await _store.StatAsync("bucket", "source", Token);
        var address = _emulator.Address;
        await _emulator.DisposeAsync();
        var failure = await FailsAsync(FailureReason.TransferFailed, () => operation switch
        {
            Get => _store.ReadAsync(info!),
            Copy => _store.CopyAsync(info!, "copy", Token),
            _ => AskAsync(operation, once: true),
        });
        Assert.True(failure.IsRetryable);
        Assert.Contains($"refused ({address.Authority})", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stat_ServiceWantsToBeLeftAloneForLong_FailsAtOnceAndSaysHowLong()
    {
        _emulator.Inject(new Fault(Stat, FaultKind.TooManyRequests, Always) { RetryAfterSeconds = 60 });
        var failure = await FailsAsync(FailureReason.TransferFailed, () => AskAsync(Stat));
        Assert.Equal((TimeSpan.FromSeconds(60), 1), (failure.RetryAfter, _emulator.Count(Stat)));
    }

    [Fact]
    public async Task Put_SessionIsGone_SaysNothingOfItsAddress()
    {
        await using var content = new FaultyStream(Content(Size), onRead: position =>
        {
            if (position >= 2 * Chunk)
                _emulator.ExpireUploads();
        });
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "put", content, Token));
        Assert.Contains("bucket:put", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("upload_id", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory, InlineData(0), InlineData(Small), InlineData(Chunk - 1)]
    public async Task Put_SmallerThanAChunk_TakesNoMoreMemoryThanItNeeds(int size)
    {
        var parts = GoogleStores.Parts(_emulator);
        var store = GoogleStores.Open(_emulator, parts: parts, credentials: _tokens.Credentials);
        Assert.Equal(Content(size), await store.ReadAsync(await store.PutAsync("bucket", "put", Content(size))));
        Assert.Equal(size + 1, parts.Memory.Peak);
    }

    [Theory, InlineData(Small), InlineData(Size)]
    public async Task Put_LongerThanItSaid_IsStoredWhole(int size)
    {
        await using var content = new UnderstatedStream(Content(size));
        Assert.Equal(Content(size), await _store.ReadAsync(await _store.PutAsync("bucket", "put", content, Token)));
    }

    [Fact]
    public async Task Decide_AnotherWonWhileAnAnswerWasLost_IsNull()
    {
        await _store.PutAsync("bucket", "marker", Content(Small, 9));
        _emulator.Inject(new Fault(Decide, FaultKind.Unavailable));
        Assert.Null(await _store.CreateIfAbsentAsync("bucket", "marker", Content(Small), Token));
        Assert.Equal(Content(Small, 9), await _store.ReadAsync("bucket", "marker"));
    }

    [Fact]
    public async Task Download_CutInTheMiddle_GoesOnWhereItEnded()
    {
        _emulator.Inject(new Fault(Get, FaultKind.ResetInAnswer));
        await AskAsync(Get);
        var ranges = _emulator.Requests.Where(seen => seen.Operation == Get).Select(seen => seen.Header("Range")).ToList();
        Assert.Equal(2, ranges.Count);
        Assert.Null(ranges[0]);
        Assert.Matches($"^bytes=[1-9][0-9]*-{Size - 1}$", ranges[1]);
    }

    [Theory, InlineData(FaultKind.Truncated), InlineData(FaultKind.ResetInAnswer), InlineData(FaultKind.Silent)]
    public async Task Read_ContentCutOrSilent_IsTransferFailedAndMayBeTriedAgain(FaultKind kind)
    {
        Inject(Get, kind, Always);
        var info = await _store.StatAsync("bucket", "large", Token);
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.ReadAsync(info!));
        Assert.True(failure.IsRetryable);
        Assert.Contains("bucket:large", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_CanceledWhileNothingComes_Ends()
    {
        using var canceled = new CancellationTokenSource();
        Inject(Get, FaultKind.Stalled, Always);
        var info = await _store.StatAsync("bucket", "large", Token);
        var reading = _store.OpenReadAsync(info!, 0, canceled.Token);
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task Put_ServiceLooksAtNoChecksums_DamagedObjectIsRemoved()
    {
        _emulator.Options.ChecksSums = false;
        Inject(Send, FaultKind.CorruptRequest, 1);
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "put", Content(Size)));
        Assert.Contains("arrived damaged", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.IsRetryable);
        Assert.Null(await _store.StatAsync("bucket", "put", Token));
    }

    [Theory, InlineData(Size), InlineData(Small)]
    public async Task Put_DamagedOnTheWay_NobodyEverSeesIt(int size)
    {
        var old = await _store.PutAsync("bucket", "put", Content(10));
        Inject(size == Small ? Put : Send, FaultKind.CorruptRequest, Always);
        var failure = await FailsAsync(FailureReason.TransferFailed, () => _store.PutAsync("bucket", "put", Content(size)));
        Assert.Contains("damaged", failure.Message, StringComparison.Ordinal);
        Assert.Equal(old, await _store.StatAsync("bucket", "put", Token));
    }

    // The last chunk is one of them.
    private static string NameOf(string operation) => operation == Finish ? Send : operation;

    private void Report(string operation, FaultKind kind, bool once, string outcome)
    {
        var content = operation switch { Send or Finish => Size, Put or Decide => Small, _ => 0 };
        var again = content == 0 ? 0 : Math.Max(0, _emulator.Received(NameOf(operation)) - content);
        FaultMatrix.Report("Google", operation, kind, once, outcome, _emulator.Count(NameOf(operation)) + (operation is Send or Finish ? _emulator.Count("upload.ask") : 0), again, _parts.Memory.Peak);
    }

    private void Inject(string operation, FaultKind kind, int times) =>
        _emulator.Inject(operation == Finish ? new Fault(Send, kind, times, skip: 2) : new Fault(operation, kind, times));

    /// <param name="once">By the store alone, without the tries of transfers.</param>
    private async Task AskAsync(string operation, bool once = false)
    {
        switch (operation)
        {
            case Get:
                using (var folder = new TemporaryFolder())
                {
                    var info = await _store.StatAsync("bucket", "large", Token);
                    var sums = await new Download(new TransferScheduler(_parts.Transfers)).ToFileAsync(new DownloadItem(_store, info!, folder["file"]), new TransferMeter(), Token);
                    Assert.Equal((info!.Crc32C, info.Size), (sums.Crc32C, sums.Size));
                }
                break;
            case Start or Send or Finish when once:
                await _store.PutAsync("bucket", "put", Content(Size, 7));
                break;
            case Start or Send or Finish:
                using (var folder = new TemporaryFolder())
                {
                    await File.WriteAllBytesAsync(folder["file"], Content(Size, 7), Token);
                    await new Upload(new TransferScheduler(_parts.Transfers)).FromFileAsync(folder["file"], new ObjectLocation(_store, "bucket", "put"), new TransferMeter(), Token);
                }
                Assert.Equal(Content(Size, 7), await _store.ReadAsync("bucket", "put"));
                break;
            case Put:
                Assert.Equal(Content(Small, 7), await _store.ReadAsync(await _store.PutAsync("bucket", "put", Content(Small, 7))));
                break;
            case List:
                Assert.Equal(["large", "source"], await _store.KeysAsync("bucket"));
                break;
            case Stat:
                Assert.Equal(Small, (await _store.StatAsync("bucket", "source", Token))!.Size);
                break;
            case Copy:
                Assert.Equal(Content(Small), await _store.ReadAsync(await _store.CopyAsync((await _store.StatAsync("bucket", "source", Token))!, "copy", Token)));
                break;
            case Decide:
                Assert.Equal(Content(Small, 7), await _store.ReadAsync((await _store.CreateIfAbsentAsync("bucket", "marker", Content(Small, 7), Token))!));
                break;
            case Delete:
                await _store.DeleteAsync("bucket", "source", Token);
                Assert.Equal(["large"], await _store.KeysAsync("bucket"));
                break;
            default:
                throw new ArgumentException(operation);
        }
    }

    /// <summary>A file to which somebody adds while it is read.</summary>
    private sealed class UnderstatedStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;

        public override long Length => 100;
    }
}
