using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.Sqlite;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

/// <summary>What is at the queue's path need not be a queue.</summary>
public sealed class BadFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string QueueFile => _folder["queue.db"];

    [Fact]
    public async Task Open_NothingThere_IsMadePrivateToTheUser()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There folders of a user are private by their parents.");
            return;
        }
        var file = _folder["new/deep/queue.db"];
        await using var queue = TaskQueues.Open("sqlite:" + file);
        await queue.GetInfoAsync(Token);
        const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ReadWrite, File.GetUnixFileMode(file));
        Assert.Equal(ReadWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_folder["new/deep"]));
        Assert.Equal(ReadWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(file + ".nodes"));
    }

    [Fact]
    public async Task Open_Queue_WritesAheadAndFlushesEachCommit()
    {
        await using var queue = new SqliteTaskQueue(QueueFile, new QueueOptions(), TimeProvider.System);
        const long Full = 2;
        Assert.Equal(Full, await queue.File.WriteAsync(connection => connection.Long("PRAGMA synchronous"), Token));
        Assert.Equal("wal", await queue.File.ReadAsync(connection => connection.Scalar("PRAGMA journal_mode"), Token));
    }

    [Fact]
    public async Task Open_NotUsed_MakesNothing()
    {
        await using (TaskQueues.Open("sqlite:" + QueueFile))
            Assert.False(File.Exists(QueueFile));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Open_EmptyFile_BecomesAQueue()
    {
        await File.WriteAllBytesAsync(QueueFile, [], Token);
        Assert.Equal(0, (await InfoAsync()).Ready);
    }

    [Theory, InlineData(""), InlineData("sqlite:"), InlineData("/var/queue.db"), InlineData("sqlite:a\0b")]
    public void Open_AddressOfNoQueue_SaysWhatIsAllowed(string address)
    {
        var error = Assert.Throws<FormatException>(() => TaskQueues.Open(address));
        Assert.Contains("sqlite:PATH", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Open_TextFile_IsNoQueueAndStaysAsItIs() => AssertRefusedAsync(QueueFailure.NotAQueue, [.. "Dear diary, today was a long day without any queue at all, and so on and so on, line after line."u8]);

    [Fact]
    public Task Open_RandomBytes_IsNoQueueAndStaysAsItIs()
    {
        var bytes = new byte[10_000];
        new Random(1).NextBytes(bytes);
        return AssertRefusedAsync(QueueFailure.NotAQueue, bytes);
    }

    [Fact]
    public async Task Open_DatabaseOfAnotherProgram_IsNoQueueAndStaysAsItIs()
    {
        Execute("CREATE TABLE tasks (id TEXT); INSERT INTO tasks VALUES ('theirs')");
        await AssertRefusedAsync(QueueFailure.NotAQueue, await File.ReadAllBytesAsync(QueueFile, Token));
    }

    [Fact]
    public async Task Open_NewerVersion_IsRefusedWithBothVersions()
    {
        await InfoAsync();
        Execute("PRAGMA user_version = 99; PRAGMA journal_mode = DELETE");
        var error = await AssertRefusedAsync(QueueFailure.NewerVersion, await File.ReadAllBytesAsync(QueueFile, Token));
        Assert.Contains("99", error.Message, StringComparison.Ordinal);
        Assert.Contains($"up to {Schema.Scripts.Count}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NewerVersionStillInTheLog_IsRefused()
    {
        await InfoAsync();
        using var open = Connect();
        Execute("PRAGMA user_version = 99", open);
        Assert.Equal(QueueFailure.NewerVersion, (await Assert.ThrowsAsync<QueueException>(InfoAsync)).Failure);
    }

    [Fact]
    public async Task Open_FolderInItsPlace_IsNoQueue()
    {
        Directory.CreateDirectory(QueueFile);
        Assert.Equal(QueueFailure.NotAQueue, (await Assert.ThrowsAsync<QueueException>(InfoAsync)).Failure);
    }

    [Fact]
    public async Task Open_FileInPlaceOfItsFolder_IsAnErrorThatNamesIt()
    {
        await File.WriteAllTextAsync(_folder["file"], "x", Token);
        await using var queue = TaskQueues.Open($"sqlite:{_folder["file"]}/queue.db");
        var error = await Assert.ThrowsAsync<QueueException>(() => queue.GetInfoAsync(Token));
        Assert.Contains(_folder["file"], error.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(50), InlineData(4096), InlineData(20_000)]
    public async Task Open_TruncatedQueue_IsCorrupt(int length)
    {
        await FillAsync();
        var bytes = await File.ReadAllBytesAsync(QueueFile, Token);
        await File.WriteAllBytesAsync(QueueFile, bytes[..length], Token);
        var error = await Assert.ThrowsAsync<QueueException>(ReadAllAsync);
        Assert.Equal(QueueFailure.Corrupt, error.Failure);
        Assert.Contains(QueueFile, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OverwrittenPages_IsCorrupt()
    {
        await FillAsync();
        var bytes = await File.ReadAllBytesAsync(QueueFile, Token);
        new Random(1).NextBytes(bytes.AsSpan(4096));
        await File.WriteAllBytesAsync(QueueFile, bytes, Token);
        Assert.Equal(QueueFailure.Corrupt, (await Assert.ThrowsAsync<QueueException>(ReadAllAsync)).Failure);
    }

    [Fact]
    public async Task Open_OlderVersion_IsBroughtUpToDateAndKeepsItsTasks()
    {
        await FillAsync();
        var settings = new SqliteSettings { Scripts = [.. Schema.Scripts, "ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'"] };
        await using (var newer = new SqliteTaskQueue(QueueFile, new QueueOptions(), TimeProvider.System, settings))
        {
            Assert.Equal(200, (await newer.GetInfoAsync(Token)).Ready);
            Assert.EndsWith($"schema {Schema.Scripts.Count + 1}", (await newer.GetInfoAsync(Token)).Kind, StringComparison.Ordinal);
            Assert.Equal("fine", await newer.File.ReadAsync(connection => connection.Scalar("SELECT mood FROM tasks LIMIT 1"), Token));
        }
        Assert.Equal(QueueFailure.NewerVersion, (await Assert.ThrowsAsync<QueueException>(InfoAsync)).Failure);
    }

    [Fact]
    public async Task Open_VersionZero_GetsEveryScript()
    {
        Execute($"PRAGMA application_id = {Schema.ApplicationId}; CREATE TABLE x (y); DROP TABLE x");
        Assert.Equal(0, (await InfoAsync()).Ready);
    }

    [Fact]
    public async Task Open_MigrationFails_ChangesNothing()
    {
        await FillAsync();
        var settings = new SqliteSettings { Scripts = [.. Schema.Scripts, "DELETE FROM tasks; SELECT no_such_function()"] };
        await using (var newer = new SqliteTaskQueue(QueueFile, new QueueOptions(), TimeProvider.System, settings))
            await Assert.ThrowsAsync<QueueException>(() => newer.GetInfoAsync(Token));
        Assert.Equal(200, (await InfoAsync()).Ready);
    }

    private async Task<QueueException> AssertRefusedAsync(QueueFailure failure, byte[] content)
    {
        await File.WriteAllBytesAsync(QueueFile, content, Token);
        await using var queue = TaskQueues.Open("sqlite:" + QueueFile);
        var error = await Assert.ThrowsAsync<QueueException>(() => queue.SendAsync([SqliteDocuments.Make("a")], Token));
        Assert.Equal(failure, error.Failure);
        Assert.Contains(QueueFile, error.Message, StringComparison.Ordinal);
        Assert.Equal(content, await File.ReadAllBytesAsync(QueueFile, Token));
        Assert.Equal([QueueFile], Directory.GetFileSystemEntries(_folder.Path).Where(entry => !entry.EndsWith(".nodes", StringComparison.Ordinal) && !entry.EndsWith(".wake", StringComparison.Ordinal)));
        return error;
    }

    private async Task<QueueInfo> InfoAsync()
    {
        await using var queue = TaskQueues.Open("sqlite:" + QueueFile);
        return await queue.GetInfoAsync(Token);
    }

    private async Task FillAsync()
    {
        await using var queue = TaskQueues.Open("sqlite:" + QueueFile);
        await queue.SendAsync([.. Enumerable.Range(0, 200).Select(i => SqliteDocuments.Make($"t{i}"))], Token);
    }

    private async Task ReadAllAsync()
    {
        await using var queue = TaskQueues.Open("sqlite:" + QueueFile);
        await foreach (var _ in queue.GetTasksAsync(new TaskQuery(), Token))
        {
        }
        await queue.SendAsync([SqliteDocuments.Make("one more")], Token);
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={QueueFile};Pooling=False");
        connection.Open();
        return connection;
    }

    private void Execute(string sql, SqliteConnection? open = null)
    {
        using var own = open is null ? Connect() : null;
        using var command = (open ?? own!).CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
