using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.Sqlite;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.Sqlite;

/// <summary>A file that can't be written for a while, or not at all.</summary>
public sealed class HeldFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string QueueFile => _folder["queue.db"];

    [Fact]
    public async Task Send_FileLockedForTooLong_SaysSoAndGoesOnAfterwards()
    {
        await using var queue = Open(TimeSpan.FromSeconds(2));
        await queue.SendAsync([SqliteDocuments.Make("before")], Token);
        using var other = Lock();
        var since = Stopwatch.GetTimestamp();
        var error = await Assert.ThrowsAsync<QueueException>(() => queue.SendAsync([SqliteDocuments.Make("during")], Token));
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 1.9, 10);
        Assert.Equal(QueueFailure.Unavailable, error.Failure);
        Assert.Contains("locked", error.Message, StringComparison.Ordinal);
        // Who only looks is not kept out.
        Assert.Equal(1, (await queue.GetInfoAsync(Token)).Ready);
        Execute(other, "ROLLBACK");
        Assert.Equal(SendResult.Sent, (await queue.SendAsync([SqliteDocuments.Make("during")], Token))[0].Result);
    }

    [Fact]
    public async Task Send_FileLockedForAWhile_WaitsOffTheCallersThread()
    {
        await using var queue = Open(TimeSpan.FromSeconds(30));
        await queue.GetInfoAsync(Token);
        using var other = Lock();
        var since = Stopwatch.GetTimestamp();
        var sending = queue.SendAsync([SqliteDocuments.Make("a")], Token);
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalMilliseconds, 0, 500);
        await Task.Delay(1500, Token);
        Assert.False(sending.IsCompleted);
        Execute(other, "ROLLBACK");
        Assert.Equal(SendResult.Sent, (await sending)[0].Result);
    }

    [Fact]
    public async Task Send_CanceledWhileTheFileIsLocked_EndsSoon()
    {
        await using var queue = Open(TimeSpan.FromSeconds(30));
        await queue.GetInfoAsync(Token);
        using var other = Lock();
        using var canceled = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var since = Stopwatch.GetTimestamp();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.SendAsync([SqliteDocuments.Make("a")], canceled.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task Send_DiskFull_SaysSoAndGoesOnWhenThereIsRoom()
    {
        using var disk = SmallDisk.TryMount(_folder["disk"], "3m");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        await using var queue = TaskQueues.Open("sqlite:" + _folder["disk/queue.db"]);
        await queue.SendAsync([SqliteDocuments.Make("first")], Token);
        await File.WriteAllBytesAsync(_folder["disk/ballast"], new byte[512 * 1024], Token);
        var sent = 1;
        var error = await Assert.ThrowsAsync<QueueException>(async () =>
        {
            for (var batch = 0; batch < 200; batch++)
            {
                await queue.SendAsync([.. Enumerable.Range(0, 50).Select(i => SqliteDocuments.Make($"t{batch}.{i}"))], Token);
                sent += 50;
            }
        });
        Assert.Equal(QueueFailure.Full, error.Failure);
        File.Delete(_folder["disk/ballast"]);
        Assert.Equal(sent, (await queue.GetInfoAsync(Token)).Ready);
        Assert.Equal(SendResult.Sent, (await queue.SendAsync([SqliteDocuments.Make("last")], Token))[0].Result);
    }

    [Fact]
    public async Task Open_DiskFullFromTheStart_SaysSo()
    {
        using var disk = SmallDisk.TryMount(_folder["disk"], "64k");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        await using var queue = TaskQueues.Open("sqlite:" + _folder["disk/queue.db"]);
        Assert.Equal(QueueFailure.Full, (await Assert.ThrowsAsync<QueueException>(() => queue.SendAsync([SqliteDocuments.Make("a")], Token))).Failure);
    }

    [Fact]
    public async Task Send_ReadOnlyDisk_IsDenied()
    {
        using var disk = SmallDisk.TryMount(_folder["disk"], "4m");
        Assert.SkipWhen(disk is null, "Needs the right to mount.");
        await using (var before = TaskQueues.Open("sqlite:" + _folder["disk/queue.db"]))
            await before.SendAsync([SqliteDocuments.Make("a")], Token);
        using (var mount = Process.Start("mount", ["-o", "remount,ro", _folder["disk"]]))
            await mount.WaitForExitAsync(Token);
        await using var queue = TaskQueues.Open("sqlite:" + _folder["disk/queue.db"]);
        var error = await Assert.ThrowsAsync<QueueException>(() => queue.SendAsync([SqliteDocuments.Make("b")], Token));
        Assert.Equal(QueueFailure.Denied, error.Failure);
        Assert.Contains("queue.db", error.Message, StringComparison.Ordinal);
    }

    private SqliteTaskQueue Open(TimeSpan lockLimit) => new(QueueFile, new QueueOptions(), TimeProvider.System, new SqliteSettings { LockLimit = lockLimit });

    private SqliteConnection Lock()
    {
        var connection = new SqliteConnection($"Data Source={QueueFile};Pooling=False");
        connection.Open();
        Execute(connection, "BEGIN EXCLUSIVE");
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
