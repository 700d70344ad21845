using System.Security.Cryptography;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Transfers;

public sealed class TransferBatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DirectoryObjectStore _store;

    public TransferBatchTests()
    {
        Directory.CreateDirectory(_folder["files"]);
        _store = DirectoryObjectStore.OfRoot(_folder["store"]);
    }

    private static TransferScheduler Fast { get; } = new(new TransferOptions { BaseDelay = TimeSpan.Zero });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_UpAndDown_KeepsEveryByte()
    {
        var contents = new[] { 0, 1, 100_000, 3_000_000 }.Select(RandomNumberGenerator.GetBytes).ToArray();
        var uploads = contents.Select((content, i) => Upload(Write($"{i}", content), $"k/{i}")).ToArray();

        var up = await Run(uploads);
        var stored = up.OfType<TransferCompleted>().Select(happened => happened.Stored!).ToArray();
        var down = await Run([.. stored.Select(info => Download(info, _store))]);

        Assert.Equal(contents.Length, down.OfType<TransferCompleted>().Count());
        for (var i = 0; i < contents.Length; i++)
            Assert.Equal(contents[i], await File.ReadAllBytesAsync(Path.Combine(_folder["down"], "k", $"{i}"), Token));
    }

    [Fact]
    public async Task RunAsync_CorruptSource_LeavesOldFileAndNothingElse()
    {
        var info = Assert.IsType<TransferCompleted>(Assert.Single(await Run([Upload(Write("a", [1, 2, 3]), "a")]))).Stored!;
        Directory.CreateDirectory(_folder["down"]);
        await File.WriteAllTextAsync(Path.Combine(_folder["down"], "a"), "old", Token);
        // The store's own word of what it holds, one bit off.
        var lying = info with { Crc32C = info.Crc32C ^ 1 };

        var failed = Assert.IsType<TransferFailed>(Assert.Single(await Run([Download(lying, _store)])));

        Assert.Equal(FailureReason.InputCorrupt, Assert.IsType<TaskFailureException>(failed.Error).Reason);
        Assert.Equal("old", await File.ReadAllTextAsync(Path.Combine(_folder["down"], "a"), Token));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder["down"]));
    }

    [Fact]
    public async Task RunAsync_APipeAtTheDestination_IsRefusedAndStays()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Has no such files.");
        var info = Assert.IsType<TransferCompleted>(Assert.Single(await Run([Upload(Write("p", [1, 2, 3]), "p")]))).Stored!;
        Directory.CreateDirectory(_folder["down"]);
        var pipe = Path.Combine(_folder["down"], "p");
        using (var made = System.Diagnostics.Process.Start("mkfifo", pipe))
            await made.WaitForExitAsync(Token);

        var failed = Assert.IsType<TransferFailed>(Assert.Single(await Run([Download(info, _store)])));

        Assert.Contains("no regular file", Assert.IsType<IOException>(failed.Error).Message, StringComparison.Ordinal);
        Assert.Null(FileIdentity.Find(pipe));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder["down"]));
    }

    [Fact]
    public async Task RunAsync_OneFails_OthersGoOn()
    {
        var events = await Run([Upload(_folder["missing"], "x"), Upload(Write("b", [1]), "b")]);

        Assert.IsType<TaskFailureException>(Assert.Single(events.OfType<TransferFailed>()).Error);
        Assert.Equal("b", Assert.Single(events.OfType<TransferCompleted>()).Stored!.Key);
    }

    [Fact]
    public async Task RunAsync_OtherBucket_CopiesAndVerifies()
    {
        var info = Assert.IsType<TransferCompleted>(Assert.Single(await Run([Upload(Write("c", [1, 2, 3]), "c")]))).Stored!;

        var copied = Assert.Single(await Run([new ObjectCopy(_store, info, "b:c", new ObjectLocation(_store, "other", "d"), "other:d")]));

        Assert.Equal(info.Crc32C, Assert.IsType<TransferCompleted>(copied).Stored!.Crc32C);
        Assert.Equal(3, (await _store.StatAsync("other", "d", Token))!.Size);
    }

    [Fact]
    public async Task RunAsync_ReaderLeaves_WorkersEndAndNothingIsLeft()
    {
        var uploads = Enumerable.Range(0, 200).Select(i => Upload(Write($"m{i}", [1]), $"m/{i}")).ToArray();

        await foreach (var _ in new TransferBatch(Fast).RunAsync(uploads, Token))
            break;

        var after = await _store.ListAsync("b", "m/", Token).CountAsync(Token);
        Assert.InRange(after, 1, uploads.Length - 1);
        Assert.Equal(after, await _store.ListAsync("b", "m/", Token).CountAsync(Token));
    }

    [Fact]
    public async Task RunAsync_SetAfterSet_TheLastCountIsOfAll()
    {
        var batch = new TransferBatch(Fast);
        await batch.RunAsync([Upload(Write("p", [1, 2, 3]), "p"), Upload(Write("q", [4]), "q")], Token).ToListAsync(Token);
        var events = await batch.RunAsync([Upload(Write("r", [5, 6]), "r")], Token).ToListAsync(Token);
        var last = Assert.IsType<TransferProgressed>(events[^1]).Progress;
        Assert.Equal((6, 6, 3, 3), (last.Bytes, last.TotalBytes, last.Objects, last.TotalObjects));
    }

    [Fact]
    public async Task RunAsync_Removals_AreCounted()
    {
        var stored = (await Run([.. Enumerable.Range(0, 20).Select(i => Upload(Write($"n{i}", [1]), $"n/{i}"))])).OfType<TransferCompleted>().Select(happened => happened.Stored!);
        var events = await new TransferBatch(Fast).RunAsync([.. stored.Select(info => new ObjectRemoval(_store, info, $"b:{info.Key}"))], Token).OfType<TransferProgressed>().ToListAsync(Token);
        // The first of them at once, and the last.
        Assert.InRange(events[0].Progress.Objects, 1, 19);
        Assert.Equal((20, 20), (events[^1].Progress.Objects, events[^1].Progress.TotalObjects));
    }

    [Fact]
    public async Task RunAsync_ATransferFailsInTheMiddle_NothingOfItIsCounted()
    {
        var info = Assert.IsType<TransferCompleted>(Assert.Single(await Run([Upload(Write("s", [1, 2, 3]), "s")]))).Stored!;
        var events = await new TransferBatch(Fast).RunAsync([Download(info with { Crc32C = info.Crc32C ^ 1 }, _store)], Token).ToListAsync(Token);
        Assert.Equal((0, 0), (Assert.IsType<TransferProgressed>(events[^1]).Progress.Bytes, Assert.IsType<TransferProgressed>(events[^1]).Progress.Objects));
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<List<TransferEvent>> Run(IReadOnlyCollection<ObjectTransfer> transfers) =>
        await new TransferBatch(Fast).RunAsync(transfers, Token).Where(happened => happened is not TransferProgressed).ToListAsync(Token);

    private FileUpload Upload(string file, string key) =>
        new(file, new ObjectLocation(_store, "b", key), $"b:{key}", File.Exists(file) ? new FileInfo(file).Length : 0);

    private FileDownload Download(ObjectInfo info, DirectoryObjectStore store) =>
        new(store, info, $"{info.Bucket}:{info.Key}", Path.Combine(_folder["down"], info.Key));

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder["files"], name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
