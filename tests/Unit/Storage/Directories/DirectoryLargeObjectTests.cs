using Sisyphus.Engine.Storage.Directories;
using Xunit;

namespace Sisyphus.Tests.Unit.Storage.Directories;

public sealed class DirectoryLargeObjectTests
{
    [Fact]
    public async Task FiveGibibytes_ThereAndBack_EveryByteIsInItsPlace()
    {
        using var folder = new TemporaryFolder();
        var store = DirectoryObjectStore.OfRoot(folder.Path);
        var put = await LargeObject.PutAsync(store, "bucket");
        await LargeObject.AssertIsCopiedAsync(store, put);
        await LargeObject.AssertIsFetchedAsync(store, put);
        await LargeObject.AssertIsDeletedAsync(store, put);
    }
}
