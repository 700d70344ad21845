using Sisyphus.Engine.Storage.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

public sealed class S3LargeObjectTests
{
    [Fact]
    public async Task FiveGibibytes_PutAndCopied_EveryByteIsInItsPlace()
    {
        await using var emulator = await S3Stores.StartAsync(buckets: "bucket");
        var parts = S3Stores.Parts(emulator);
        var store = S3Stores.Open(emulator, parts);

        var put = await LargeObject.PutAsync(store, "bucket");
        await LargeObject.AssertIsCopiedAsync(store, put);
        await LargeObject.AssertIsDeletedAsync(store, put);

        Assert.Equal(S3Limits.Default.Chunk, parts.Memory.Peak);
        Assert.Equal(0, emulator.OpenUploads("bucket"));
    }
}
