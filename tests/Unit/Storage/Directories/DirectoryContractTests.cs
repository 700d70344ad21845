using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;

namespace Sisyphus.Tests.Unit.Storage.Directories;

public sealed class DirectoryOfBucketsContractTests : ObjectStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DirectoryOfBucketsContractTests() => Store = Reopen();

    private protected override IObjectStore Store { get; }

    public void Dispose() => _folder.Dispose();

    private protected override IObjectStore Reopen() => DirectoryObjectStore.OfRoot(_folder["root"]);
}

public sealed class DirectoryAsBucketContractTests : ObjectStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DirectoryAsBucketContractTests() => Store = Reopen();

    private protected override IObjectStore Store { get; }

    public void Dispose() => _folder.Dispose();

    private protected override IObjectStore Reopen() => DirectoryObjectStore.OfBucket(_folder["the bucket"], Bucket);
}
