using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;

namespace Sisyphus.Tests.Unit.Storage.Directories;

public sealed class DirectoryOfBucketsContractTests : ObjectStoreContract
{
    private readonly TemporaryFolder _folder = new();

    public DirectoryOfBucketsContractTests() => Store = Reopen();

    private protected override IObjectStore Store { get; }

    public override ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return base.DisposeAsync();
    }

    private protected override IObjectStore Reopen() => DirectoryObjectStore.OfRoot(_folder["root"]);
}

public sealed class DirectoryAsBucketContractTests : ObjectStoreContract
{
    private readonly TemporaryFolder _folder = new();

    public DirectoryAsBucketContractTests() => Store = Reopen();

    private protected override IObjectStore Store { get; }

    public override ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return base.DisposeAsync();
    }

    private protected override IObjectStore Reopen() => DirectoryObjectStore.OfBucket(_folder["the bucket"], Bucket);
}
