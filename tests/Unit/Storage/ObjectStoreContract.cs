using System.Text;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage;

/// <summary>What every store promises that can be written. One class a store derives from it.</summary>
public abstract class ObjectStoreContract : ObjectReadContract
{
    /// <summary>False where a generation is the content's, so that the same bytes again are the same generation.</summary>
    private protected virtual bool HasGenerationPerPut => true;

    /// <summary>By how much the time that a write tells may differ from the one that the service tells later: not every answer to a write has it.</summary>
    private protected virtual TimeSpan ModifiedTolerance => TimeSpan.Zero;

    /// <summary>Whether the service's own rules let it keep the key; one that they refuse has to fail with a clear error.</summary>
    private protected virtual bool CanHold(string key) => true;

    /// <summary>Whether a server that is asked for a second opinion goes wrong with the key by a fault of its own, and has no opinion on it.</summary>
    private protected virtual bool Mistakes(string key) => false;

    /// <summary>A second store object on the same data, as another process has it.</summary>
    private protected abstract IObjectStore Reopen();

    private protected override Task<ObjectInfo> GiveAsync(string key, byte[] content) => Store.PutAsync(Bucket, key, content);

    private protected override Task TakeAwayAsync(string key) => Store.DeleteAsync(Bucket, key, Token);

    public static TheoryData<string> Keys =>
    [
        "a", "data/clear", "a b", " a", "a ", "a%b", "%", "%2", "%41", "%2F", "%2f/x", "%25", "100%25", "a%20b.txt", "a#b", "a?b", "a+b", "a&b=c", "a\\b", "a:b", "a\"b", "a'b", "a*b", "a|b", "<a>",
        ".", "..", "../x", "../../etc/passwd", "a/../b", "a/./b", "/", "//", "/a", "a/", "a//b", "//a//", "...", ".hidden", "..a", "a.", "CON", "nul.txt", "COM1",
        ".sisyphus-tmp", ".sisyphus-tmp/x", ".Sisyphus-TMP/x", "a/.sisyphus-tmp", ".sisyphus/t/published.json", "-rf", "~", "$HOME", "`x`", "\t", "a\nb", "a\rb", "\u0001", "\0", "a\0b", "\u007f",
        "ä", "a\u0308", "日本語/キー", "😀", "\uFFFD", "\uE000", "\uFFFF", "\U0010FFFF", "\u200B", "\u202Eabc",
    ];

    public static TheoryData<string> LongKeys =>
    [
        new string('k', 1024), new string('k', 255), new string('k', 256), "d/" + new string('k', 300) + "/e", new string('ä', 512), string.Concat(Enumerable.Repeat("😀", 256)),
        new string('%', 1024), new string('/', 512), new string('.', 1024), ".." + new string('\0', 1022), "%2F" + new string('x', 400), string.Concat(Enumerable.Repeat("a/", 512)),
    ];

    [Theory, MemberData(nameof(Keys)), MemberData(nameof(LongKeys))]
    public async Task Put_AnyKey_IsFoundUnderExactlyThatKey(string key)
    {
        var content = Content(100);
        if (Mistakes(key))
            return;
        if (!CanHold(key))
        {
            Assert.Contains(Bucket, (await FailsAsync(FailureReason.InvalidDocument, () => Store.PutAsync(Bucket, key, content))).Message, StringComparison.Ordinal);
            return;
        }
        var put = await Store.PutAsync(Bucket, key, content);

        Assert.Equal((Bucket, key, 100L), (put.Bucket, put.Key, put.Size));
        Assert.Equal(content, await Store.ReadAsync(Bucket, key));
        Assert.Equal([key], await Store.KeysAsync(Bucket));
        Assert.Equal([key], await Store.KeysAsync(Bucket, key));
    }

    [Fact]
    public async Task Put_AKeyOfEveryPlaneOfUnicode_IsFoundUnderExactlyThatKey()
    {
        var keys = Enumerable.Range(0, 17).Select(plane => $"p{char.ConvertFromUtf32((plane << 16) + 0x2345)}q").Where(CanHold).ToList();
        foreach (var key in keys)
            await Store.PutAsync(Bucket, key, key);
        Assert.Equal(17, keys.Count);
        Assert.Equal(keys, await Store.KeysAsync(Bucket));
        foreach (var key in keys)
            Assert.Equal(key, await Store.ReadTextAsync(Bucket, key));
    }

    [Fact]
    public async Task CheckWritable_AnyKey_FailsForThoseThatPutRefuses()
    {
        foreach (var key in Keys.Concat(LongKeys).Select(row => row.Data).Append(new string('k', 1025)).Append("a\uD800b"))
        {
            if (CanHold(key) && key.Length <= 1024 && !key.Contains('\uD800', StringComparison.Ordinal))
                await Store.CheckWritableAsync(Bucket, [key], Token);
            else
                Assert.Contains(Bucket, (await FailsAsync(FailureReason.InvalidDocument, () => Store.CheckWritableAsync(Bucket, ["other", key], Token))).Message, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Keys)), MemberData(nameof(LongKeys))]
    public async Task Delete_AnyKey_LeavesNothing(string key)
    {
        if (Mistakes(key))
            return;
        if (CanHold(key))
            await Store.PutAsync(Bucket, key, "x");
        await Store.DeleteAsync(Bucket, key, Token);
        Assert.Null(await Store.StatAsync(Bucket, key, Token));
        Assert.Empty(await Store.KeysAsync(Bucket));
    }

    [Theory, MemberData(nameof(Sizes))]
    public async Task Put_AnySize_ReturnsChecksumOfContent(int size)
    {
        var content = Content(size);
        Assert.Equal(Crc32C.Of(content), (await Store.PutAsync(Bucket, "k", content)).Crc32C);
    }

    [Fact]
    public async Task Put_StreamNotAtItsStart_TakesTheRest()
    {
        var content = new MemoryStream(Content(1000)) { Position = 400 };
        var put = await Store.PutAsync(Bucket, "k", content, Token);
        Assert.Equal(Content(1000)[400..], await Store.ReadAsync(put));
    }

    [Fact]
    public async Task Put_StreamWithoutLength_IsStored()
    {
        await using var content = new FaultyStream(Content(3 * MiB), chunk: 1000);
        Assert.Equal(Content(3 * MiB), await Store.ReadAsync(await Store.PutAsync(Bucket, "k", content, Token)));
    }

    [Fact]
    public async Task Put_ExistingKey_ReplacesContentAndGeneration()
    {
        var first = await Store.PutAsync(Bucket, "k", "one");
        var second = await Store.PutAsync(Bucket, "k", "two");
        Assert.NotEqual(first.Generation, second.Generation);
        Assert.Equal("two", await Store.ReadTextAsync(Bucket, "k"));
    }

    [Fact]
    public async Task Put_SameContentAgain_IsAnotherGenerationWhereTheyAreNotTheContents()
    {
        var first = await Store.PutAsync(Bucket, "k", "same");
        Assert.Equal(HasGenerationPerPut, first.Generation != (await Store.PutAsync(Bucket, "k", "same")).Generation);
    }

    [Fact]
    public async Task Put_ContentBreaks_KeepsOldObjectAndThrowsTheContentsError()
    {
        await Store.PutAsync(Bucket, "k", "old");
        await using var content = new FaultyStream(Content(2 * MiB), failAt: MiB);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Store.PutAsync(Bucket, "k", content, Token));
        Assert.Equal("old", await Store.ReadTextAsync(Bucket, "k"));
        Assert.Equal(["k"], await Store.KeysAsync(Bucket));
    }

    [Fact]
    public async Task Put_Canceled_LeavesNothing()
    {
        await Store.PutAsync(Bucket, "other", "x");
        using var canceled = new CancellationTokenSource();
        await using var content = new FaultyStream(Content(2 * MiB), onRead: position =>
        {
            if (position >= MiB)
                canceled.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync(Bucket, "k", content, canceled.Token));
        Assert.Equal(["other"], await Store.KeysAsync(Bucket));
    }

    [Fact]
    public virtual async Task Put_ManyWritersOfOneKey_ReadersSeeOneWholeContent()
    {
        var contents = Enumerable.Range(0, 4).Select(seed => Content(100_000, seed)).ToList();
        var whole = contents.Select(content => Crc32C.Of(content)).ToHashSet();
        await Store.PutAsync(Bucket, "k", contents[0]);
        var writing = Task.WhenAll(contents.Select(content => Task.Run(async () =>
        {
            var store = Reopen();
            for (var i = 0; i < 10; i++)
                await store.PutAsync(Bucket, "k", content);
        })));
        var reader = Reopen();
        bool last;
        do
        {
            last = writing.IsCompleted;
            try
            {
                Assert.Contains(Crc32C.Of((await reader.ReadAsync(Bucket, "k"))!), whole);
            }
            catch (TaskFailureException e) when (e.Reason == FailureReason.InputCorrupt && !last)
            {
                // Replaced while it was read, and the store said so.
            }
        }
        while (!last);
        await writing;
    }

    [Fact]
    public async Task Put_EmptyKey_IsRefused() =>
        await FailsAsync(FailureReason.InvalidDocument, () => Store.PutAsync(Bucket, "", "x"));

    [Fact]
    public async Task Put_KeyOf1025Bytes_IsRefused() =>
        await FailsAsync(FailureReason.InvalidDocument, () => Store.PutAsync(Bucket, new string('ä', 512) + "k", "x"));

    [Fact]
    public async Task Put_KeyWithHalfASurrogatePair_IsRefused() =>
        await FailsAsync(FailureReason.InvalidDocument, () => Store.PutAsync(Bucket, "a\uD800b", "x"));

    [Fact]
    public async Task Stat_AfterPut_IsWhatPutReturned()
    {
        var put = await Store.PutAsync(Bucket, "k", "content");
        var stat = await Reopen().StatAsync(Bucket, "k", Token);
        Assert.Equal(put with { Crc32C = null, Modified = stat!.Modified }, stat with { Crc32C = null });
        Assert.InRange((put.Modified - stat.Modified).Duration(), TimeSpan.Zero, ModifiedTolerance);
        Assert.True(stat.Crc32C is null || stat.Crc32C == put.Crc32C);
    }

    [Fact]
    public async Task Stat_Modified_IsTheTimeOfThePut()
    {
        var put = await Store.PutAsync(Bucket, "k", "content");
        Assert.InRange(put.Modified, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task Stat_MissingBucket_IsNull() => Assert.Null(await Store.StatAsync("missing", "k", Token));

    [Fact]
    public async Task OpenRead_MissingBucket_IsInputMissingAndNamesBucket()
    {
        var put = await Store.PutAsync(Bucket, "k", "x");
        var failure = await FailsAsync(FailureReason.InputMissing, () => Store.ReadAsync(put with { Bucket = "missing" }));
        Assert.Contains("missing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_EmptyPrefix_GivesEveryObjectInOrderOfUtf8()
    {
        string[] keys = [.. ((string[])["a", "a.b", "a0/x", "b/b", "b!", "b.", "b0", "Z", "z/\uFFFD", "z/😀", "z/\uE000", "ä", "é/1", "e\u0301"]).Where(CanHold)];
        foreach (var key in keys)
            await Store.PutAsync(Bucket, key, "x");
        var ordered = keys.OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)));
        Assert.Equal(ordered, await Store.KeysAsync(Bucket));
    }

    [Fact]
    public virtual async Task List_LongKeysAmongShortOnes_KeepsTheOrder()
    {
        var stem = new string('k', 250);
        string[] keys = [stem, stem + "a", stem + "aaaaaaa", stem + "b/x", stem + "bbbbbbbbb", stem + "ccccccccc/y", stem + "d"];
        foreach (var key in keys)
            await Store.PutAsync(Bucket, key, "x");
        Assert.Equal(keys.Order(StringComparer.Ordinal), await Store.KeysAsync(Bucket));
        Assert.Equal([stem + "bbbbbbbbb"], await Store.KeysAsync(Bucket, stem + "bb"));
    }

    [Theory]
    [InlineData("da", new[] { "data/a", "data/b/c", "data2", "dax/y" })]
    [InlineData("data", new[] { "data/a", "data/b/c", "data2" })]
    [InlineData("data/", new[] { "data/a", "data/b/c" })]
    [InlineData("data/b", new[] { "data/b/c" })]
    [InlineData("data/b/", new[] { "data/b/c" })]
    [InlineData("data/a", new[] { "data/a" })]
    [InlineData("data/a/", new string[0])]
    [InlineData("data/x/y", new string[0])]
    [InlineData("q", new string[0])]
    public async Task List_Prefix_GivesExactlyTheKeysThatStartWithIt(string prefix, string[] expected)
    {
        foreach (var key in (string[])["data/a", "data/b/c", "data2", "dax/y", "other"])
            await Store.PutAsync(Bucket, key, "x");
        Assert.Equal(expected, await Store.KeysAsync(Bucket, prefix));
    }

    [Fact]
    public async Task List_EachObject_IsWhatStatSays()
    {
        foreach (var key in (string[])["a", "b/c", "b/d"])
            await Store.PutAsync(Bucket, key, key + " content");
        var listed = await Store.ListAsync(Bucket, "", Token).ToListAsync(Token);
        Assert.Equal(3, listed.Count);
        foreach (var info in listed)
        {
            // A service need not tell checksums in a listing.
            var stat = await Store.StatAsync(Bucket, info.Key, Token);
            Assert.Equal(stat, info with { Crc32C = info.Crc32C ?? stat!.Crc32C });
        }
    }

    [Fact]
    public async Task List_BucketWithoutObjects_IsEmpty()
    {
        await Store.PutAsync(Bucket, "a/b/c", "x");
        await Store.DeleteAsync(Bucket, "a/b/c", Token);
        Assert.Empty(await Store.KeysAsync(Bucket));
    }

    [Fact]
    public async Task List_MissingBucket_IsInputMissingAndNamesBucket()
    {
        var failure = await FailsAsync(FailureReason.InputMissing, () => Store.KeysAsync("missing"));
        Assert.Contains("missing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_Canceled_Stops()
    {
        await Store.PutAsync(Bucket, "a", "x");
        using var canceled = new CancellationTokenSource();
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.ListAsync(Bucket, "", canceled.Token).ToListAsync(Token));
    }

    [Fact]
    public async Task CreateIfAbsent_NewKey_StoresContentAndChecksum()
    {
        var created = await Store.CreateIfAbsentAsync(Bucket, "d/marker", "content"u8.ToArray(), Token);
        Assert.Equal(Crc32C.Of("content"u8), created!.Crc32C);
        Assert.Equal("content", await Store.ReadTextAsync(Bucket, "d/marker"));
    }

    [Fact]
    public async Task CreateIfAbsent_ExistingKey_IsNullAndChangesNothing()
    {
        var put = await Store.PutAsync(Bucket, "marker", "old");
        Assert.Null(await Store.CreateIfAbsentAsync(Bucket, "marker", "new"u8.ToArray(), Token));
        Assert.Equal("old", Encoding.UTF8.GetString(await Store.ReadAsync(put)));
    }

    [Fact]
    public async Task CreateIfAbsent_AfterDelete_CreatesAgain()
    {
        await Store.CreateIfAbsentAsync(Bucket, "marker", "a"u8.ToArray(), Token);
        await Store.DeleteAsync(Bucket, "marker", Token);
        Assert.NotNull(await Store.CreateIfAbsentAsync(Bucket, "marker", "b"u8.ToArray(), Token));
    }

    [Fact]
    public virtual async Task CreateIfAbsent_64AtOnce_ExactlyOneWinsAndItsContentStands()
    {
        using var start = new Barrier(64);
        var won = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Factory.StartNew(
            () =>
            {
                var store = Reopen();
                start.SignalAndWait(Token);
                return store.CreateIfAbsentAsync(Bucket, "race/marker", Content(1000, i), Token);
            },
            Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap()));
        var winner = Assert.Single(won.Index(), result => result.Item is not null);
        Assert.Equal(Content(1000, winner.Index), await Store.ReadAsync(winner.Item!));
    }

    [Fact]
    public async Task Replace_SameGeneration_IsReplaced()
    {
        var put = await Store.PutAsync(Bucket, "marker", "old");
        var replaced = await Store.ReplaceAsync((await Store.StatAsync(Bucket, "marker", Token))!, "new"u8.ToArray(), Token);
        Assert.Equal(Crc32C.Of("new"u8), replaced!.Crc32C);
        Assert.Equal("new", await Store.ReadTextAsync(Bucket, "marker"));
        Assert.Null(await Store.ReplaceAsync(put, "late"u8.ToArray(), Token));
        Assert.NotNull(await Store.ReplaceAsync(replaced, "newer"u8.ToArray(), Token));
        Assert.Equal("newer", await Store.ReadTextAsync(Bucket, "marker"));
    }

    [Fact]
    public async Task Replace_GoneObject_IsNullAndCreatesNothing()
    {
        var put = await Store.PutAsync(Bucket, "marker", "old");
        await Store.DeleteAsync(Bucket, "marker", Token);
        Assert.Null(await Store.ReplaceAsync(put, "new"u8.ToArray(), Token));
        Assert.Null(await Store.StatAsync(Bucket, "marker", Token));
    }

    [Fact]
    public virtual async Task Copy_ToNewKey_HasSameContentAndKeepsSource()
    {
        var source = await Store.PutAsync(Bucket, "a/source", Content(MiB));
        var copy = await Store.CopyAsync(source, "b/copy", Token);
        Assert.Equal((Bucket, "b/copy", (long)MiB), (copy.Bucket, copy.Key, copy.Size));
        Assert.Equal(Content(MiB), await Store.ReadAsync(copy));
        Assert.Equal(Content(MiB), await Store.ReadAsync(source));
    }

    [Fact]
    public virtual async Task Copy_OverExistingKey_ReplacesIt()
    {
        var source = await Store.PutAsync(Bucket, "source", "new");
        await Store.PutAsync(Bucket, "target", "old");
        await Store.CopyAsync(source, "target", Token);
        Assert.Equal("new", await Store.ReadTextAsync(Bucket, "target"));
    }

    [Fact]
    public virtual async Task Copy_OfReplacedGeneration_IsInputCorruptAndCopiesNothing()
    {
        var old = await Store.PutAsync(Bucket, "source", "one");
        await Store.PutAsync(Bucket, "source", "two");
        await FailsAsync(FailureReason.InputCorrupt, () => Store.CopyAsync(old, "target", Token));
        Assert.Null(await Store.StatAsync(Bucket, "target", Token));
    }

    [Fact]
    public async Task Copy_OfMissingSource_IsInputMissing()
    {
        var source = await Store.PutAsync(Bucket, "source", "x");
        await Store.DeleteAsync(Bucket, "source", Token);
        await FailsAsync(FailureReason.InputMissing, () => Store.CopyAsync(source, "target", Token));
    }

    [Fact]
    public virtual async Task Copy_ThenSourceReplaced_CopyStays()
    {
        var source = await Store.PutAsync(Bucket, "source", "one");
        var copy = await Store.CopyAsync(source, "target", Token);
        await Store.PutAsync(Bucket, "source", "two");
        Assert.Equal("one", Encoding.UTF8.GetString(await Store.ReadAsync(copy)));
    }

    [Theory, InlineData("plain/source"), InlineData(".sisyphus/t/a/0/source")]
    public virtual async Task Copy_ThenSourceDeleted_CopyIsTheSameGenerationStill(string key)
    {
        var source = await Store.PutAsync(Bucket, key, "one");
        var copy = await Store.CopyAsync(source, "target", Token);
        await Store.DeleteAsync(Bucket, key, Token);
        Assert.Equal(copy.Generation, (await Store.StatAsync(Bucket, "target", Token))!.Generation);
        Assert.Equal("one", Encoding.UTF8.GetString(await Store.ReadAsync(copy)));
    }

    [Fact]
    public virtual async Task Copy_TwiceFromReservedKey_IsIdempotent()
    {
        var source = await Store.PutAsync(Bucket, ".sisyphus/t/a/0/source", "one");
        await Store.CopyAsync(source, "target", Token);
        await Store.CopyAsync(source, "target", Token);
        Assert.Equal([".sisyphus/t/a/0/source", "target"], await Store.KeysAsync(Bucket));
        Assert.Equal("one", await Store.ReadTextAsync(Bucket, "target"));
    }

    [Fact]
    public async Task Delete_MissingKeyOrBucket_IsNoError()
    {
        await Store.DeleteAsync(Bucket, "missing", Token);
        await Store.DeleteAsync("missing", "k", Token);
        Assert.False(await Store.BucketExistsAsync("missing", Token));
    }

    [Fact]
    public async Task Delete_OneOfTwoInAFolder_KeepsTheOther()
    {
        await Store.PutAsync(Bucket, "d/a", "x");
        await Store.PutAsync(Bucket, "d/b", "x");
        await Store.DeleteAsync(Bucket, "d/a", Token);
        Assert.Equal(["d/b"], await Store.KeysAsync(Bucket));
    }

    [Fact]
    public async Task Delete_PrefixOfAKey_DeletesNothing()
    {
        await Store.PutAsync(Bucket, "d/a", "x");
        await Store.DeleteAsync(Bucket, "d", Token);
        Assert.Equal(["d/a"], await Store.KeysAsync(Bucket));
    }

    [Fact]
    public virtual async Task Delete_AgainstConcurrentPutsInTheSameFolder_LosesNoPut()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            var store = Reopen();
            for (var round = 0; round < 25; round++)
            {
                await store.PutAsync(Bucket, $"p/q/r/{i}", $"{round}");
                Assert.Equal($"{round}", await store.ReadTextAsync(Bucket, $"p/q/r/{i}"));
                await store.DeleteAsync(Bucket, $"p/q/r/{i}", Token);
            }
        })));
        Assert.Empty(await Store.KeysAsync(Bucket));
    }

    [Fact]
    public async Task ListBuckets_AfterPut_HasTheBucket()
    {
        await Store.PutAsync(Bucket, "k", "x");
        Assert.Equal([Bucket], await Store.ListBucketsAsync(Token).ToListAsync(Token));
    }

    [Fact]
    public async Task BucketExists_BeforeAndAfterPut_SaysWhatIsTrue()
    {
        Assert.False(await Store.BucketExistsAsync("missing", Token));
        await Store.PutAsync(Bucket, "k", "x");
        Assert.True(await Store.BucketExistsAsync(Bucket, Token));
    }

    [Fact]
    public async Task BucketExists_NamesThatLeadElsewhere_IsFalse()
    {
        await Store.PutAsync(Bucket, "k", "x");
        foreach (var bucket in (string[])["..", ".", "/", "", $"../{Bucket}", $"{Bucket}/..", "a\0"])
            Assert.False(await Store.BucketExistsAsync(bucket, Token), bucket);
    }
}
