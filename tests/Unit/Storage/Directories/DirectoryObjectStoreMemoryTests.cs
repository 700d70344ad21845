using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Directories;

[Collection(nameof(Alone))]
public sealed class DirectoryObjectStoreMemoryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PutAndRead_LargeContent_NeedNoMemoryForIt()
    {
        const long Size = 512L * 1024 * 1024;
        using var folder = new TemporaryFolder(inMemory: true);
        var store = DirectoryObjectStore.OfRoot(folder.Path);
        await store.PutAsync("bucket", "warm", "x");
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await using (var content = new ZeroStream(Size))
            await store.PutAsync("bucket", "big", content, Token);
        await using (var stream = await store.OpenReadAsync((await store.StatAsync("bucket", "big", Token))!, 0, Token))
            await stream.CopyToAsync(Stream.Null, 256 * 1024, Token);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 64 * 1024 * 1024);
    }
}
