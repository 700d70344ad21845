using System.Diagnostics;
using System.Runtime.Versioning;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Directories;
using Sisyphus.Engine.Tasks;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Unit.Storage.Directories;

/// <summary>What is true of folders only.</summary>
public sealed class DirectoryObjectStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IObjectStore _store;

    public DirectoryObjectStoreTests() => _store = DirectoryObjectStore.OfRoot(_folder.Path);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Put_PlainKey_IsThePlainFile()
    {
        await _store.PutAsync("bucket", "data/clear", "content");
        Assert.Equal("content", await File.ReadAllTextAsync(_folder["bucket/data/clear"], Token));
    }

    [Fact]
    public async Task Stat_FileThatAUserPutThere_IsTheObject()
    {
        Place("bucket/data/a%20b.txt", "content");
        Assert.Equal("content", await _store.ReadTextAsync("bucket", "data/a%20b.txt"));
        Assert.Equal(["data/a%20b.txt"], await _store.KeysAsync("bucket"));
    }

    [Theory, InlineData("%41"), InlineData("%2Fshort/rest"), InlineData("%C3%28"), InlineData("%25"), InlineData("%2Fab")]
    public async Task List_NamesThatNoKeyHas_AreNoObjects(string name)
    {
        Place("bucket/" + name, "x");
        Place("bucket/real", "x");
        Assert.Equal(["real"], await _store.KeysAsync("bucket"));
    }

    [Fact]
    public async Task List_FolderOfUnfinishedFiles_IsHidden()
    {
        Place("bucket/.sisyphus-tmp/x", "x");
        Place(".cache/x", "x");
        Assert.Empty(await _store.KeysAsync("bucket"));
        Assert.Equal(["bucket"], await _store.ListBucketsAsync(Token).ToListAsync(Token));
    }

    [Fact]
    public async Task Put_Finished_LeavesNoUnfinishedFile()
    {
        await _store.PutAsync("bucket", "a", "x");
        await _store.CreateIfAbsentAsync("bucket", "b", "x"u8.ToArray(), Token);
        await _store.CreateIfAbsentAsync("bucket", "b", "x"u8.ToArray(), Token);
        await _store.CopyAsync((await _store.StatAsync("bucket", "a", Token))!, "c", Token);
        var staged = await _store.PutAsync("bucket", ".sisyphus/t/a/outputs/0", "x");
        await _store.CopyAsync(staged, "d", Token);
        await _store.CopyAsync(staged, "d", Token);
        await using var broken = new FaultyStream(Content(1000), failAt: 500);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _store.PutAsync("bucket", "e", broken, Token));
        Assert.Empty(Directory.GetFiles(_folder["bucket/.sisyphus-tmp"]));
    }

    [Fact]
    public async Task Put_UnfinishedFilesOfADeadProcess_AreSweptAfterADay()
    {
        Place("bucket/.sisyphus-tmp/old", "x");
        Place("bucket/.sisyphus-tmp/young", "x");
        File.SetLastWriteTimeUtc(_folder["bucket/.sisyphus-tmp/old"], DateTime.UtcNow.AddHours(-25));
        await _store.PutAsync("bucket", "a", "x");
        Assert.Equal(["young"], Directory.GetFiles(_folder["bucket/.sisyphus-tmp"]).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Put_KeyThatIsAFolder_SaysWhy()
    {
        await _store.PutAsync("bucket", "a/b", "x");
        var failure = await FailsAsync(FailureReason.InvalidDocument, () => _store.PutAsync("bucket", "a", "x"));
        Assert.Contains("bucket:a", failure.Message, StringComparison.Ordinal);
        await FailsAsync(FailureReason.InvalidDocument, () => _store.CreateIfAbsentAsync("bucket", "a", "x"u8.ToArray(), Token));
    }

    [Fact]
    public async Task Put_KeyBelowAnObject_SaysWhy()
    {
        await _store.PutAsync("bucket", "a", "x");
        var failure = await FailsAsync(FailureReason.InvalidDocument, () => _store.PutAsync("bucket", "a/b", "x"));
        Assert.Contains("bucket:a/b", failure.Message, StringComparison.Ordinal);
        await FailsAsync(FailureReason.InvalidDocument, () => _store.CreateIfAbsentAsync("bucket", "a/b", "x"u8.ToArray(), Token));
    }

    [Fact]
    public async Task Put_KeyThatIsAnEmptyFolder_TakesItsPlace()
    {
        Directory.CreateDirectory(_folder["bucket/a"]);
        await _store.PutAsync("bucket", "a", "content");
        Assert.Equal("content", await _store.ReadTextAsync("bucket", "a"));
    }

    [Fact]
    public async Task Delete_LastObjectOfAFolder_RemovesFoldersButNotTheBucket()
    {
        await _store.PutAsync("bucket", "a/b/c", "x");
        await _store.DeleteAsync("bucket", "a/b/c", Token);
        Assert.False(Directory.Exists(_folder["bucket/a"]));
        Assert.True(Directory.Exists(_folder["bucket"]));
    }

    [Fact]
    public async Task Copy_OfAUsersObject_IsAnotherFile()
    {
        var source = await _store.PutAsync("bucket", "a", "one");
        await _store.CopyAsync(source, "b", Token);
        await File.WriteAllTextAsync(_folder["bucket/a"], "edited in place", Token);
        Assert.Equal("one", await _store.ReadTextAsync("bucket", "b"));
    }

    [Fact]
    public async Task OpenRead_EditedInPlaceWhileRead_IsInputCorrupt()
    {
        var put = await _store.PutAsync("bucket", "a", Content(1_000_000));
        await using var stream = await _store.OpenReadAsync(put, 0, Token);
        await stream.ReadExactlyAsync(new byte[10], Token);
        await using (var file = new FileStream(_folder["bucket/a"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.WriteByte(0);
        await FailsAsync(FailureReason.InputCorrupt, () => stream.CopyToAsync(Stream.Null, Token));
    }

    [Fact]
    public async Task Read_LinkOutOfTheBucket_IsRefused()
    {
        Place("secret/file", "secret");
        Directory.CreateDirectory(_folder["bucket"]);
        File.CreateSymbolicLink(_folder["bucket/link"], _folder["secret/file"]);
        Directory.CreateSymbolicLink(_folder["bucket/folder"], _folder["secret"]);
        await FailsAsync(FailureReason.InputDenied, () => _store.StatAsync("bucket", "link", Token));
        await FailsAsync(FailureReason.InputDenied, () => _store.StatAsync("bucket", "folder/file", Token));
        await FailsAsync(FailureReason.InputDenied, () => _store.KeysAsync("bucket"));
        await FailsAsync(FailureReason.InputDenied, () => _store.KeysAsync("bucket", "folder/"));
        await FailsAsync(FailureReason.InputDenied, () => _store.PutAsync("bucket", "folder/new", "x"));
        await FailsAsync(FailureReason.InputDenied, () => _store.CheckWritableAsync("bucket", ["folder/new"], Token));
        await FailsAsync(FailureReason.InputDenied, () => _store.CreateIfAbsentAsync("bucket", "folder/new", "x"u8.ToArray(), Token));
        await FailsAsync(FailureReason.InputDenied, () => _store.DeleteAsync("bucket", "folder/file", Token));
        await FailsAsync(FailureReason.InputDenied, () => _store.OpenReadAsync(new ObjectInfo("bucket", "link", 6, "", null, default), 0, Token));
        Assert.Equal(["file"], Directory.GetFiles(_folder["secret"]).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Put_OverALinkOutOfTheBucket_ReplacesTheLink()
    {
        Place("secret/file", "secret");
        Directory.CreateDirectory(_folder["bucket"]);
        File.CreateSymbolicLink(_folder["bucket/link"], _folder["secret/file"]);
        await _store.PutAsync("bucket", "link", "mine");
        Assert.Equal("secret", await File.ReadAllTextAsync(_folder["secret/file"], Token));
        Assert.Equal("mine", await _store.ReadTextAsync("bucket", "link"));
    }

    [Fact]
    public async Task Read_LinkInsideTheBucketAndBucketThatIsALink_AreFollowed()
    {
        Place("elsewhere/real/file", "content");
        Directory.CreateSymbolicLink(_folder["bucket"], _folder["elsewhere"]);
        Directory.CreateSymbolicLink(_folder["elsewhere/alias"], "real");
        File.CreateSymbolicLink(_folder["elsewhere/dangling"], "nowhere");
        Assert.Equal(["alias/file", "real/file"], await _store.KeysAsync("bucket"));
        Assert.Equal("content", await _store.ReadTextAsync("bucket", "alias/file"));
        Assert.Null(await _store.StatAsync("bucket", "dangling", Token));
    }

    [Theory, InlineData("."), InlineData("..")]
    public async Task List_LinkToAFolderAroundItself_EndsWithAnError(string target)
    {
        Place("bucket/a/b/file", "x");
        Directory.CreateSymbolicLink(_folder["bucket/a/b/loop"], target);
        await FailsAsync(FailureReason.InputDenied, () => _store.KeysAsync("bucket"));
    }

    [Fact]
    public async Task Stat_WhatIsNoRegularFile_IsNoObject()
    {
        Directory.CreateDirectory(_folder["bucket"]);
        using (var made = Process.Start("mkfifo", _folder["bucket/pipe"]))
            await made.WaitForExitAsync(Token);
        Assert.Null(await _store.StatAsync("bucket", "pipe", Token));
        Assert.Empty(await _store.KeysAsync("bucket"));
        await FailsAsync(FailureReason.InputMissing, () => _store.OpenReadAsync(new ObjectInfo("bucket", "pipe", 0, "", null, default), 0, Token));
    }

    [Theory, InlineData(".hidden"), InlineData(".."), InlineData("a/b"), InlineData("")]
    public async Task Put_NameThatIsNoBucket_IsRefused(string bucket) =>
        await FailsAsync(FailureReason.InvalidDocument, () => _store.PutAsync(bucket, "k", "x"));

    [Fact]
    public async Task Put_OtherBucketOfASingleBucketStore_IsInputMissing() =>
        await FailsAsync(FailureReason.InputMissing, () => DirectoryObjectStore.OfBucket(_folder["x"], "mine").PutAsync("other", "k", "x"));

    [Fact, UnsupportedOSPlatform("windows")]
    public async Task Read_WithoutPermission_IsInputDenied()
    {
        var put = await _store.PutAsync("bucket", "a/b", "x");
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(_folder["bucket/a/b"], UnixFileMode.None);
        AsOrdinaryUser.Run(() => FailsAsync(FailureReason.InputDenied, () => _store.ReadAsync(put)));
        File.SetUnixFileMode(_folder["bucket/a"], UnixFileMode.None);
        AsOrdinaryUser.Run(() => FailsAsync(FailureReason.InputDenied, () => _store.StatAsync("bucket", "a/b", Token)));
        AsOrdinaryUser.Run(() => FailsAsync(FailureReason.InputDenied, () => _store.KeysAsync("bucket")));
        AsOrdinaryUser.Run(() => FailsAsync(FailureReason.InputDenied, () => _store.PutAsync("bucket", "a/c", "x")));
        File.SetUnixFileMode(_folder["bucket/a"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact, UnsupportedOSPlatform("windows")]
    public void TryLink_FileThatMayNotBeRead_LeavesNoSecondName()
    {
        var temporary = Directory.CreateDirectory(_folder[$"bucket/{KeyPath.TemporaryFolder}"]).FullName;
        foreach (var open in (string[])[_folder.Path, _folder["bucket"], temporary])
            File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111);
        AsOrdinaryUser.Run(() =>
        {
            // Its owner may link it all the same.
            File.WriteAllText(_folder["file"], "x");
            File.SetUnixFileMode(_folder["file"], UnixFileMode.None);
            Assert.Throws<UnauthorizedAccessException>(() => UnfinishedFile.TryLink(_folder["bucket"], _folder["file"]));
            return Task.CompletedTask;
        });
        Assert.Empty(Directory.GetFiles(temporary));
    }

    [Fact]
    public async Task Put_DiskFull_IsDiskFullAndLeavesNoFile()
    {
        using var disk = SmallDisk.TryMount(_folder["bucket"], "2m");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        await _store.PutAsync("bucket", "old", "x");
        await FailsAsync(FailureReason.DiskFull, () => _store.PutAsync("bucket", "big", Content(4_000_000)));
        Assert.Equal(["old"], await _store.KeysAsync("bucket"));
        Assert.Empty(Directory.GetFiles(_folder["bucket/.sisyphus-tmp"]));
        await _store.PutAsync("bucket", "small", Content(1_000_000));
    }

    [Fact]
    public async Task List_50000Objects_IsLazyAndComplete()
    {
        Directory.CreateDirectory(_folder["bucket/many"]);
        for (var i = 0; i < 50_000; i++)
            File.WriteAllBytes(_folder[$"bucket/many/{i:D6}"], []);
        var elapsed = Stopwatch.StartNew();
        Assert.Equal(50_000, await _store.ListAsync("bucket", "", Token).CountAsync(Token));
        // A quarter of a second on a quiet machine; the limit only catches what is quadratic.
        Assert.True(elapsed.Elapsed < TimeSpan.FromSeconds(30), $"{elapsed.Elapsed}");
        Assert.Equal("many/012345", (await _store.ListAsync("bucket", "many/01234", Token).Skip(5).FirstAsync(Token)).Key);
    }

    private void Place(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[path])!);
        File.WriteAllText(_folder[path], content);
    }
}
