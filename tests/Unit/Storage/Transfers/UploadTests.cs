using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class UploadTests : IDisposable
{
    private static readonly byte[] Whole = Content((int)UploadJournal.MinSize + 1000);

    private readonly TemporaryFolder _folder = new();

    public UploadTests() => File.WriteAllBytes(_folder["file"], Whole);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TransferOptions Options => new() { BaseDelay = TimeSpan.Zero, Attempts = 3, JournalFolder = _folder["journal"] };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FromFile_StoreFailsAtFirst_IsRepeatedFromTheStart()
    {
        var inner = DirectoryObjectStore.OfRoot(_folder["store"]);
        var store = new FaultyStore(inner, call => call <= 2 ? (Fault)call : Fault.None, () => new IOException("reset"));
        var meter = new TransferMeter();
        var (stored, sums) = await new Upload(new TransferScheduler(Options)).FromFileAsync(_folder["file"], new ObjectLocation(store, "bucket", "k"), meter, Token);
        Assert.Equal((3, ContentHash.Of(Whole), Crc32C.Of(Whole)), (store.Calls, sums, stored.Crc32C));
        Assert.Equal(Whole.Length, meter.Current.Bytes);
    }

    [Fact]
    public async Task FromFile_APipe_IsRefusedAndNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Has no such files.");
        using (var made = System.Diagnostics.Process.Start("mkfifo", _folder["pipe"]))
            await made.WaitForExitAsync(Token);
        var uploading = new Upload(new TransferScheduler(Options)).FromFileAsync(_folder["pipe"], new ObjectLocation(DirectoryObjectStore.OfRoot(_folder["store"]), "bucket", "k"), new TransferMeter(), Token);
        var failure = await FailsAsync(FailureReason.TransferFailed, () => uploading.WaitAsync(TimeSpan.FromSeconds(10), Token));
        Assert.Contains("no regular file", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FromFile_BreaksAndMovesOnEachTime_IsGoneOnWithForAsLongAsItMoves()
    {
        var store = new ResumingStore(DirectoryObjectStore.OfRoot(_folder["store"]), breaks: 10);
        var (stored, sums) = await UploadAsync(store);
        Assert.Equal((11, ContentHash.Of(Whole), Crc32C.Of(Whole)), (store.Tokens.Count, sums, stored.Crc32C));
        Assert.Equal([null, .. Enumerable.Repeat("token", 10)], store.Tokens);
    }

    [Fact]
    public async Task FromFile_AfterAnotherProcessWasStopped_GoesOnAndForgetsAtTheEnd()
    {
        var store = new ResumingStore(DirectoryObjectStore.OfRoot(_folder["store"]), breaks: 3, moves: false);
        await FailsAsync(FailureReason.TransferFailed, () => UploadAsync(store));
        var kept = Assert.Single(Directory.GetFiles(_folder["journal"]));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));

        await UploadAsync(store);
        Assert.Equal([null, "token", "token", "token"], store.Tokens);
        Assert.Empty(Directory.GetFiles(_folder["journal"]));
    }

    [Fact]
    public async Task FromFile_FileChangedMeanwhile_BeginsAnew()
    {
        var store = new ResumingStore(DirectoryObjectStore.OfRoot(_folder["store"]), breaks: 3, moves: false);
        await FailsAsync(FailureReason.TransferFailed, () => UploadAsync(store));
        File.SetLastWriteTimeUtc(_folder["file"], File.GetLastWriteTimeUtc(_folder["file"]).AddSeconds(1));
        await UploadAsync(store);
        Assert.Null(store.Tokens[^1]);
    }

    [Fact]
    public async Task FromFile_RememberedLongAgo_BeginsAnew()
    {
        var store = new ResumingStore(DirectoryObjectStore.OfRoot(_folder["store"]), breaks: 3, moves: false);
        await FailsAsync(FailureReason.TransferFailed, () => UploadAsync(store));
        File.SetLastWriteTimeUtc(Directory.GetFiles(_folder["journal"])[0], DateTime.UtcNow - UploadJournal.MaxAge - TimeSpan.FromMinutes(1));
        await UploadAsync(store);
        Assert.Null(store.Tokens[^1]);
    }

    private async Task<(ObjectInfo Object, ContentSums Sums)> UploadAsync(IObjectStore store) =>
        await new Upload(new TransferScheduler(Options)).FromFileAsync(_folder["file"], new ObjectLocation(store, "bucket", "k"), new TransferMeter(), Token);
}
