using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Directories;

/// <summary>Copies where files can share blocks until one of them is written.</summary>
public sealed class SharedBlocksTests : IDisposable
{
    private const int MiB = 1024 * 1024;
    private readonly TemporaryFolder _folder = new();
    private readonly SharingDisk? _disk;
    private readonly DirectoryObjectStore _store;

    public SharedBlocksTests()
    {
        _disk = SharingDisk.TryMount(_folder, "disk");
        _store = DirectoryObjectStore.OfRoot(_folder["disk"]);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _disk?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Copy_MoreThanTheDiskHolds_IsThereAndNoneOfTheSource()
    {
        Assert.SkipWhen(_disk is null, "Needs the right to mount, and mkfs.xfs.");
        var source = await _store.PutAsync("bucket", "source", Content(100 * MiB));
        foreach (var key in (string[])["a", "b", "c", "d"])
            await _store.CopyAsync(source, key, Token);
        await using (var edited = File.OpenWrite(_folder["disk/bucket/source"]))
            edited.Write(new byte[MiB]);
        foreach (var key in (string[])["a", "b", "c", "d"])
            Assert.Equal(source.Crc32C, Crc32C.Of((await _store.ReadAsync("bucket", key))!));
    }

    [Fact]
    public async Task Copy_SourceEditedInPlaceMeanwhile_IsOfTheGenerationOrNone()
    {
        Assert.SkipWhen(_disk is null, "Needs the right to mount, and mkfs.xfs.");
        await _store.PutAsync("bucket", "source", Content(1000, 0));
        var edits = 0;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var editing = Task.Run(async () =>
        {
            using var file = File.OpenHandle(_folder["disk/bucket/source"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            while (!end.IsCancellationRequested)
            {
                RandomAccess.Write(file, Content(1000, ++edits), 0);
                // Long enough for each edit to have a time of its own.
                await Task.Delay(20, CancellationToken.None);
            }
        }, Token);
        var (copied, changed) = (0, 0);
        while (edits < 200)
        {
            try
            {
                var source = (await _store.StatAsync("bucket", "source", Token))!;
                var content = await _store.ReadAsync(source);
                var copy = await _store.CopyAsync(source, "copy", Token);
                Assert.Equal(content, await _store.ReadAsync(copy));
                copied++;
            }
            catch (TaskFailureException e) when (e.Reason == FailureReason.InputCorrupt)
            {
                changed++;
            }
        }
        await end.CancelAsync();
        await editing;
        Assert.True(copied > 0 && changed > 0, $"{copied} copied, {changed} changed meanwhile");
    }
}
