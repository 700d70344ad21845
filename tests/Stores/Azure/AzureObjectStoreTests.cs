using System.Diagnostics;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.Azure;

public sealed class AzureObjectStoreTests(Azurite server) : IAsyncLifetime, IClassFixture<Azurite>
{
    private const int MiB = 1024 * 1024;
    private static int _containers;

    private readonly string _bucket = $"store-{Interlocked.Increment(ref _containers)}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await server.Service.CreateBlobContainerAsync(_bucket, cancellationToken: Token);

    public async ValueTask DisposeAsync() => await server.Service.DeleteBlobContainerAsync(_bucket, cancellationToken: CancellationToken.None);

    [Theory, InlineData((8 * MiB) - 1), InlineData(8 * MiB), InlineData((8 * MiB) + 1), InlineData(16 * MiB)]
    public async Task Put_SizesAroundABlock_ReadBack(int size)
    {
        var store = server.Open();
        var put = await store.PutAsync(_bucket, "k", Content(size));
        Assert.Equal(put, await store.StatAsync(_bucket, "k", Token));
        Assert.Equal(Content(size), await store.ReadAsync(put));
    }

    [Fact]
    public async Task Put_BlocksThatGrow_AreSentWhole()
    {
        var store = server.Open(blocks: new AzureBlocks(64 * 1024, 2, 256 * 1024));
        var content = Content(3 * MiB);
        Assert.Equal(content, await store.ReadAsync(await store.PutAsync(_bucket, "k", content)));
        var list = await server.Service.GetBlobContainerClient(_bucket).GetBlockBlobClient("k").GetBlockListAsync(BlockListTypes.Committed, cancellationToken: Token);
        Assert.Equal([65536, 65536, 131072, 131072, 262144], list.Value.CommittedBlocks.Take(5).Select(block => block.SizeLong));
    }

    [Fact]
    public async Task Stat_BlobOfSomebodyElse_HasNoChecksum()
    {
        await server.Service.GetBlobContainerClient(_bucket).UploadBlobAsync("theirs", BinaryData.FromString("content"), Token);
        var info = await server.Open().StatAsync(_bucket, "theirs", Token);
        Assert.Null(info!.Crc32C);
        Assert.Equal("content"u8.ToArray(), await server.Open().ReadAsync(info));
    }

    [Fact]
    public async Task ListAndCopy_OurBlobs_CarryTheChecksum()
    {
        foreach (var largest in (int[])[100, 100_000_000])
        {
            var store = server.Open(largestCopy: largest);
            var put = await store.PutAsync(_bucket, "a", Content(1000));
            var copy = await store.CopyAsync(put, "b", Token);
            Assert.Equal(Crc32C.Of(Content(1000)), copy.Crc32C);
            Assert.Equal([put, copy], await store.ListAsync(_bucket, "", Token).ToListAsync(Token));
            Assert.Equal(copy, await store.StatAsync(_bucket, "b", Token));
        }
    }

    [Fact]
    public async Task Copy_LargeOfReplacedGeneration_IsInputCorruptAndCopiesNothing()
    {
        var store = server.Open(largestCopy: 100);
        var old = await store.PutAsync(_bucket, "a", Content(1000));
        await store.PutAsync(_bucket, "a", Content(1000, 2));
        await FailsAsync(FailureReason.InputCorrupt, () => store.CopyAsync(old, "b", Token));
        Assert.Null(await store.StatAsync(_bucket, "b", Token));
    }

    [Fact]
    public async Task Any_WrongKey_IsDeniedAndSaysNothingOfIt()
    {
        var wrong = Convert.ToBase64String(new byte[64]);
        var store = server.Open(Azurite.Parts(key: wrong));
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.StatAsync(_bucket, "k", Token));
        Assert.DoesNotContain(wrong, failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("SharedKey", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_KeyThatIsNone_IsDeniedAndSaysNothingOfIt()
    {
        var failure = await FailsAsync(FailureReason.InputDenied, () => server.Open(Azurite.Parts(key: "not base64!")).StatAsync(_bucket, "k", Token));
        Assert.Contains(AzureLogin.KeyVariable, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not base64", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_Signature_DoesWhatItAllows()
    {
        var own = server.Open();
        var put = await own.PutAsync(_bucket, "a", Content(1000));
        var container = server.Service.GetBlobContainerClient(_bucket);
        var all = SignatureOf(BlobContainerSasPermissions.All);
        foreach (var largest in (int[])[100, 100_000_000])
        {
            var store = server.Open(Azurite.Parts(key: null), largestCopy: largest, options: $"&sas={Uri.EscapeDataString(all)}");
            Assert.Equal(Content(1000), await store.ReadAsync(await store.CopyAsync(put, "b", Token)));
            Assert.Equal(["a", "b"], await store.KeysAsync(_bucket));
        }

        var reader = server.Open(Azurite.Parts(key: null), options: $"&sas={Uri.EscapeDataString(SignatureOf(BlobContainerSasPermissions.Read))}");
        Assert.Equal(Content(1000), await reader.ReadAsync(put));
        var failure = await FailsAsync(FailureReason.InputDenied, () => reader.PutAsync(_bucket, "c", "x"));
        Assert.Contains("permission", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sig=", failure.ToString(), StringComparison.Ordinal);

        string SignatureOf(BlobContainerSasPermissions permissions) => container.GenerateSasUri(permissions, DateTimeOffset.UtcNow.AddHours(1)).Query;
    }

    [Fact]
    public async Task Any_ConnectionStringOfTheEnvironment_IsUsed()
    {
        var parts = new StoreParts { Variable = name => name == AzureLogin.ConnectionVariable ? $"DefaultEndpointsProtocol=http;AccountName={Azurite.Account};AccountKey={Azurite.Key};BlobEndpoint={server.Endpoint};" : null };
        var store = AzureObjectStore.Open(StoreLocation.Parse("az:"), parts);
        Assert.Equal(Content(10), await store.ReadAsync(await store.PutAsync(_bucket, "k", Content(10))));
    }

    [Fact]
    public async Task Any_SignatureOfTheEnvironment_IsUsed()
    {
        var signature = server.Service.GetBlobContainerClient(_bucket).GenerateSasUri(BlobContainerSasPermissions.All, DateTimeOffset.UtcNow.AddHours(1)).Query;
        var store = server.Open(new StoreParts { Variable = name => name == AzureLogin.SasVariable ? signature : null });
        Assert.Equal(Content(10), await store.ReadAsync(await store.PutAsync(_bucket, "k", Content(10))));
    }

    [Fact]
    public async Task Any_ExpiredSignature_IsDenied()
    {
        var expired = server.Service.GetBlobContainerClient(_bucket).GenerateSasUri(BlobContainerSasPermissions.Read, DateTimeOffset.UtcNow.AddHours(-1)).Query;
        var store = server.Open(Azurite.Parts(key: null), options: $"&sas={Uri.EscapeDataString(expired)}");
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.StatAsync(_bucket, "k", Token));
        Assert.DoesNotContain("sig=", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_ArchivedBlob_SaysWhatToDo()
    {
        var store = server.Open();
        var put = await store.PutAsync(_bucket, "k", "x");
        await server.Service.GetBlobContainerClient(_bucket).GetBlobClient("k").SetAccessTierAsync(AccessTier.Archive, cancellationToken: Token);
        var failure = await FailsAsync(FailureReason.InputDenied, () => store.ReadAsync(put));
        Assert.Contains("Hot or Cool", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_NoLoginOverHttp_IsDeniedAtOnce()
    {
        var watch = Stopwatch.StartNew();
        var failure = await FailsAsync(FailureReason.InputDenied, () => server.Open(Azurite.Parts(key: null)).StatAsync(_bucket, "k", Token));
        Assert.Contains(AzureLogin.KeyVariable, failure.Message, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Put_MissingContainer_NamesIt()
    {
        foreach (var size in (int[])[10, 200_000])
        {
            var failure = await FailsAsync(FailureReason.InputMissing, () => server.Open(blocks: new AzureBlocks(64 * 1024, 10, 64 * 1024)).PutAsync("missing-one", "k", Content(size)));
            Assert.Contains("'missing-one'", failure.Message, StringComparison.Ordinal);
        }
    }
}
