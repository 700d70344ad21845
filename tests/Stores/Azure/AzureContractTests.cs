using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Azure;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.Azure;

public sealed class AzureContractTests(Azurite server) : ObjectStoreContract, IClassFixture<Azurite>
{
    private static int _containers;
    private readonly string _bucket = $"bucket-{Interlocked.Increment(ref _containers)}";

    private protected override IObjectStore Store => field ??= Reopen();

    private protected override string Bucket => _bucket;

    private protected override bool CanHold(string key) => AzureNames.CanBe(_bucket, key);

    private protected override IObjectStore Reopen() => server.Open();

    private protected override async Task PrepareAsync() => await server.Service.CreateBlobContainerAsync(_bucket, cancellationToken: TestContext.Current.CancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await server.Service.DeleteBlobContainerAsync(_bucket, cancellationToken: CancellationToken.None);
        await base.DisposeAsync();
    }
}
