using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.S3;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

public sealed class S3rverContractTests(S3rver server) : ObjectStoreContract, IClassFixture<S3rver>
{
    private static int _buckets;
    private readonly string _bucket = $"bucket-{Interlocked.Increment(ref _buckets)}";

    private protected override IObjectStore Store => Reopen();

    private protected override string Bucket => _bucket;

    // An ETag is the content's.
    private protected override bool HasGenerationPerPut => false;

    // The answer to a PUT has no time.
    private protected override TimeSpan ModifiedTolerance => TimeSpan.FromSeconds(5);

    private protected override Task PrepareAsync()
    {
        Directory.CreateDirectory(Path.Combine(server.Data, _bucket));
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        Directory.Delete(Path.Combine(server.Data, _bucket), recursive: true);
        return base.DisposeAsync();
    }

    private protected override bool CanHold(string key) => S3Names.IsKey(key);

    // Keys are its paths: it resolves dots and loses slashes, and a name that is too long for a file ends the process. It writes what XML can't hold into its lists.
    private protected override bool Mistakes(string key) =>
        key.Split('/') is var segments && (segments.Any(segment => segment is "." or "..") || segments.SkipLast(1).Contains("") || segments.Any(segment => segment.Length > 200)) || key.Length > 1000 || key == "/" || key.Any(c => c is < ' ' and not ('\t' or '\n' or '\r') or '\uFFFF');

    private protected override IObjectStore Reopen() => S3Stores.Open(server.Address, S3rver.AccessKey, S3rver.SecretKey);

    // It can't read the source of a copy as the SDK writes it, with its slash encoded, and takes all of it for a bucket's name.
    [Fact]
    public override Task Copy_ToNewKey_HasSameContentAndKeepsSource() => FindsNoSourceAsync("a/source", "b/copy");

    [Fact]
    public override Task Copy_OverExistingKey_ReplacesIt() => FindsNoSourceAsync("source", "target");

    [Fact]
    public override Task Copy_OfReplacedGeneration_IsInputCorruptAndCopiesNothing() => FindsNoSourceAsync("source", "target");

    [Fact]
    public override Task Copy_ThenSourceReplaced_CopyStays() => FindsNoSourceAsync("source", "target");

    [Theory, InlineData("plain/source"), InlineData(".sisyphus/t/a/0/source")]
    public override Task Copy_ThenSourceDeleted_CopyIsTheSameGenerationStill(string key) => FindsNoSourceAsync(key, "target");

    [Fact]
    public override Task Copy_TwiceFromReservedKey_IsIdempotent() => FindsNoSourceAsync(".sisyphus/t/a/0/source", "target");

    // It ignores the condition, which is noticed.
    [Fact]
    public override async Task CreateIfAbsent_64AtOnce_ExactlyOneWinsAndItsContentStands()
    {
        Assert.False(await Store.CreatesExclusivelyAsync(Bucket, TestContext.Current.CancellationToken));
        Assert.Empty(await Store.KeysAsync(Bucket));
    }

    // It writes into the file that others are reading: one after the other.
    [Fact]
    public override async Task Put_ManyWritersOfOneKey_ReadersSeeOneWholeContent()
    {
        for (var i = 0; i < 4; i++)
        {
            await Store.PutAsync(Bucket, "k", StoreAssertions.Content(100_000, i));
            Assert.Equal(StoreAssertions.Content(100_000, i), await Reopen().ReadAsync(Bucket, "k"));
        }
    }

    // It removes folders while others write into them: one after the other.
    [Fact]
    public override async Task Delete_AgainstConcurrentPutsInTheSameFolder_LosesNoPut()
    {
        foreach (var key in (string[])["p/q/r/1", "p/q/r/2"])
            await Store.PutAsync(Bucket, key, "x");
        await Store.DeleteAsync(Bucket, "p/q/r/1", TestContext.Current.CancellationToken);
        Assert.Equal(["p/q/r/2"], await Store.KeysAsync(Bucket));
    }

    // It writes into the file that it is reading from; what came is told by the checksum.
    [Fact]
    public override async Task OpenRead_ReplacedWhileRead_IsTheOldContentOrInputCorrupt()
    {
        const int size = 4 * 1024 * 1024;
        var put = await Store.PutAsync(Bucket, "k", StoreAssertions.Content(size));
        var stat = await Store.StatAsync(Bucket, "k", TestContext.Current.CancellationToken);
        Assert.Equal(put.Crc32C, stat!.Crc32C);
        await using var stream = await Store.OpenReadAsync(put, 0, TestContext.Current.CancellationToken);
        await Store.PutAsync(Bucket, "k", StoreAssertions.Content(size, 2));
        var content = new MemoryStream();
        try
        {
            await stream.CopyToAsync(content, TestContext.Current.CancellationToken);
        }
        catch (TaskFailureException failure) when (failure.Reason == FailureReason.TransferFailed)
        {
            // Or by an end that comes too soon.
            return;
        }
        Assert.Equal(content.ToArray().AsSpan().SequenceEqual(StoreAssertions.Content(size)), Crc32C.Of(content.ToArray()) == put.Crc32C);
    }

    // As the contract's, with names that its disk can hold.
    [Fact]
    public override async Task List_LongKeysAmongShortOnes_KeepsTheOrder()
    {
        var stem = new string('k', 200);
        string[] keys = [stem, stem + "a", stem + "bb/x", stem + "bbb", stem + "c/y"];
        foreach (var key in keys)
            await Store.PutAsync(Bucket, key, "x");
        Assert.Equal(keys, await Store.KeysAsync(Bucket));
    }

    private async Task FindsNoSourceAsync(string source, string target)
    {
        var put = await Store.PutAsync(Bucket, source, "x");
        await StoreAssertions.FailsAsync(FailureReason.InputMissing, () => Store.CopyAsync(put, target, TestContext.Current.CancellationToken));
        Assert.Null(await Store.StatAsync(Bucket, target, TestContext.Current.CancellationToken));
    }
}
