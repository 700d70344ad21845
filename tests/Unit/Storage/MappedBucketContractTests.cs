using System.Text;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>A part of a bucket as one of its own keeps what every store promises, and sees nothing of the rest.</summary>
public sealed class MappedBucketContractTests : ObjectStoreContract
{
    private const string Prefix = "pre/fix/";

    private readonly TemporaryFolder _folder = new();

    public MappedBucketContractTests() => Store = Reopen();

    private protected override IObjectStore Store { get; }

    private protected override bool CanHold(string key) => Encoding.UTF8.GetByteCount(Prefix + key) <= RemotePath.MaxKeyBytes;

    // Folders name a key that they can't hold as an error whatever is asked of it.
    private protected override bool Mistakes(string key) => !CanHold(key);

    private protected override async Task PrepareAsync()
    {
        var whole = DirectoryObjectStore.OfRoot(_folder["root"]);
        foreach (var outside in (string[])["pre/f", "pre/fixture", "pre/g", "k"])
            await whole.PutAsync("real-bucket", outside, outside);
    }

    public override ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return base.DisposeAsync();
    }

    // Where it really is: only that can be looked for.
    private protected override string NameOf(string key) => $"real-bucket:{Prefix}{key}";

    private protected override IObjectStore Reopen() => new MappedBucket(DirectoryObjectStore.OfRoot(_folder["root"]), Bucket, "real-bucket", Prefix);
}
