using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Storage;
using static SQLitePCL.raw;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What went wrong with the file, in the queue's words.</summary>
internal static class SqliteFailures
{
    private const int FileMoved = 1032;
    private const long NextToNothing = 128 * 1024;

    public static bool IsBusy(this SqliteException error) => error.SqliteErrorCode is SQLITE_BUSY or SQLITE_LOCKED or SQLITE_PROTOCOL;

    public static QueueException ToQueueException(this SqliteException error, string path) => error.SqliteErrorCode switch
    {
        _ when error.SqliteExtendedErrorCode == FileMoved => Unavailable(path, "it was removed or replaced while it was in use", error),
        SQLITE_BUSY or SQLITE_LOCKED or SQLITE_PROTOCOL => Unavailable(path, "another program holds it locked", error),
        SQLITE_FULL => Full(path, error),
        SQLITE_IOERR when IsFull(path) => Full(path, error),
        SQLITE_READONLY or SQLITE_PERM or SQLITE_AUTH => Denied(path, "it may be read but not written", error),
        SQLITE_CANTOPEN when IsFull(path) => Full(path, error),
        SQLITE_CANTOPEN => Denied(path, "it, or a file beside it, can't be opened", error),
        SQLITE_CORRUPT or SQLITE_NOTADB => Corrupt(path, error),
        _ => Unavailable(path, error.Message, error),
    };

    public static QueueException ToQueueException(this Exception error, string path) => error switch
    {
        SqliteException sqlite => sqlite.ToQueueException(path),
        UnauthorizedAccessException => Denied(path, error.Message, error),
        IOException io when StoreFailures.IsDiskFull(io) => Full(path, error),
        _ => Unavailable(path, error.Message, error),
    };

    public static QueueException Corrupt(string path, Exception? cause = null) => new(
        QueueFailure.Corrupt,
        $"The queue {path} is damaged{Because(cause)}. Stop what uses it and put a copy of it back, or rescue what is readable with 'sqlite3 {path} .recover'.",
        cause);

    public static QueueException NotAQueue(string path, string what) => new(
        QueueFailure.NotAQueue,
        $"{path} is no queue of Sisyphus: {what}. Nothing was changed there. Name another file; one that is not there is made.");

    public static QueueException NewerVersion(string path, long found, int known) => new(
        QueueFailure.NewerVersion,
        $"The queue {path} has schema version {found}; this program knows versions up to {known}. Update Sisyphus here. Nothing was changed there.");

    private static QueueException Unavailable(string path, string what, Exception cause) =>
        new(QueueFailure.Unavailable, $"The queue {path} does not answer: {what}.", cause);

    private static QueueException Denied(string path, string what, Exception cause) =>
        new(QueueFailure.Denied, $"The queue {path} can't be used: {what.TrimEnd('.')}. Give this user the right to read and write the file and its folder.", cause);

    private static QueueException Full(string path, Exception cause) =>
        new(QueueFailure.Full, $"There is no space left for the queue {path}. Make room on its disk and try again.", cause);

    private static string Because(Exception? cause) => cause is null ? "" : $" ({cause.Message.TrimEnd('.')})";

    /// <summary>SQLite tells of a full disk as such where it writes, but as an I/O error where it makes its shared memory.</summary>
    private static bool IsFull(string path)
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace < NextToNothing;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }
}
