using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Azure;

public sealed class AzureLargeObjectTests(Azurite server) : IClassFixture<Azurite>
{
    // Azurite would take minutes more for a copy, and to send all of it back.
    [Fact]
    public async Task FiveGibibytes_Put_EveryByteIsInItsPlace()
    {
        await server.Service.CreateBlobContainerAsync("large", cancellationToken: TestContext.Current.CancellationToken);
        var parts = Azurite.Parts();
        var store = server.Open(parts);

        await LargeObject.AssertIsDeletedAsync(store, await LargeObject.PutAsync(store, "large"));

        Assert.Equal(AzureBlocks.Standard.First, parts.Memory.Peak);
    }
}
