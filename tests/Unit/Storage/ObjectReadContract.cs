using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>What every store promises who reads, also one that can't be written, asked through <see cref="IObjectStore"/> only.</summary>
public abstract class ObjectReadContract : IAsyncLifetime
{
    private protected const int MiB = 1024 * 1024;

    /// <summary>Empty when the test begins.</summary>
    private protected abstract IObjectStore Store { get; }

    /// <summary>A bucket that may be written and need not exist.</summary>
    private protected virtual string Bucket => "bucket";

    /// <summary>As messages name an object.</summary>
    private protected virtual string NameOf(string key) => $"{Bucket}:{key}";

    /// <summary>Called before anything else; a store whose buckets have to be there before makes <see cref="Bucket"/>.</summary>
    private protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Makes or replaces an object of the bucket, by whatever means it is written.</summary>
    private protected abstract Task<ObjectInfo> GiveAsync(string key, byte[] content);

    /// <summary>Removes one likewise.</summary>
    private protected abstract Task TakeAwayAsync(string key);

    public async ValueTask InitializeAsync() => await PrepareAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int> Sizes => [0, 1, 4095, 4096, MiB - 1, MiB, MiB + 1];

    [Theory, MemberData(nameof(Sizes))]
    public async Task Read_AnySize_IsByteForByte(int size)
    {
        var content = Content(size);
        var put = await GiveAsync("k", content);
        Assert.Equal(size, put.Size);
        Assert.Equal(content, await Store.ReadAsync(put));
    }

    [Fact]
    public async Task Stat_MissingKey_IsNull()
    {
        await GiveAsync("a", "x"u8.ToArray());
        Assert.Null(await Store.StatAsync(Bucket, "b", Token));
    }

    [Fact]
    public async Task Stat_PrefixOfAKey_IsNull()
    {
        await GiveAsync("a/b", "x"u8.ToArray());
        Assert.Null(await Store.StatAsync(Bucket, "a", Token));
        Assert.Null(await Store.StatAsync(Bucket, "a/", Token));
    }

    [Fact]
    public async Task Stat_BelowAnObject_IsNull()
    {
        await GiveAsync("a", "x"u8.ToArray());
        Assert.Null(await Store.StatAsync(Bucket, "a/b", Token));
        Assert.Null(await Store.StatAsync(Bucket, "a/", Token));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(499_999), InlineData(500_000)]
    public async Task OpenRead_AtOffset_ReadsTheRest(int offset)
    {
        var put = await GiveAsync("k", Content(500_000));
        Assert.Equal(Content(500_000)[offset..], await Store.ReadAsync(put, offset));
    }

    [Fact]
    public async Task OpenRead_MissingKey_IsInputMissingAndNamesIt()
    {
        var put = await GiveAsync("dir/k", "x"u8.ToArray());
        await TakeAwayAsync("dir/k");
        var failure = await FailsAsync(FailureReason.InputMissing, () => Store.ReadAsync(put));
        Assert.Contains(NameOf("dir/k"), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenRead_GenerationReplacedBefore_IsInputCorrupt()
    {
        var old = await GiveAsync("k", "one"u8.ToArray());
        await GiveAsync("k", "two"u8.ToArray());
        await FailsAsync(FailureReason.InputCorrupt, () => Store.ReadAsync(old));
    }

    [Theory, InlineData(0, 0), InlineData(0, 1), InlineData(1000, 4096), InlineData(499_999, 1), InlineData(0, 500_000), InlineData(500_000, 0)]
    public async Task OpenRead_Length_ReadsSoManyBytes(int offset, int length)
    {
        var put = await GiveAsync("k", Content(500_000));
        await using var stream = await Store.OpenReadAsync(put, offset, length, Token);
        var content = new MemoryStream();
        await stream.CopyToAsync(content, Token);
        Assert.Equal(Content(500_000)[offset..(offset + length)], content.ToArray());
    }

    [Fact]
    public virtual Task OpenRead_ReplacedWhileRead_IsTheOldContentOrInputCorrupt() =>
        ReadsOldContentOrFailsAsync(() => GiveAsync("k", Content(4 * MiB, 2)));

    [Fact]
    public Task OpenRead_DeletedWhileRead_IsTheOldContentOrInputCorrupt() =>
        ReadsOldContentOrFailsAsync(() => TakeAwayAsync("k"));

    [Fact]
    public async Task OpenRead_ManyAtOnce_EachReadsAll()
    {
        var put = await GiveAsync("k", Content(MiB));
        var reads = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Store.ReadAsync(put))));
        Assert.All(reads, content => Assert.Equal(Content(MiB), content));
    }

    [Fact]
    public void Name_IsALocation() => Assert.Contains("://", Store.Name, StringComparison.Ordinal);

    private async Task ReadsOldContentOrFailsAsync(Func<Task> change)
    {
        var put = await GiveAsync("k", Content(4 * MiB));
        await using var stream = await Store.OpenReadAsync(put, 0, Token);
        var read = new byte[4 * MiB];
        await stream.ReadExactlyAsync(read.AsMemory(0, 1000), Token);
        await change();
        try
        {
            await stream.ReadExactlyAsync(read.AsMemory(1000), Token);
            Assert.Equal(0, await stream.ReadAsync(new byte[1], Token));
            Assert.Equal(Content(4 * MiB), read);
        }
        catch (TaskFailureException e)
        {
            Assert.Equal(FailureReason.InputCorrupt, e.Reason);
        }
    }
}
