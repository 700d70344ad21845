using Sisyphus.Engine.Storage.Google;
using Sisyphus.Tests.StoreEmulator.Google;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Google;

public sealed class GoogleLargeObjectTests
{
    [Fact]
    public async Task FiveGibibytes_ThereAndBack_EveryByteIsInItsPlace()
    {
        await using var emulator = await GoogleEmulator.StartAsync(new GoogleEmulatorOptions { KeepsMd5 = false });
        emulator.CreateBucket("bucket");
        var parts = GoogleStores.PatientParts(emulator);
        var store = GoogleStores.Open(emulator, parts: parts, chunk: GoogleUpload.DefaultChunkSize);

        var put = await LargeObject.PutAsync(store, "bucket");
        await LargeObject.AssertIsCopiedAsync(store, put);
        await LargeObject.AssertIsFetchedAsync(store, put);
        await LargeObject.AssertIsDeletedAsync(store, put);

        Assert.Equal(GoogleUpload.DefaultChunkSize, parts.Memory.Peak);
    }
}
