namespace Sisyphus.Engine.Queues.Sqlite;

internal static class QueueCounts
{
    public static QueueInfo Read(QueueConnection connection, SqliteTaskQueue queue)
    {
        // Sequences rise with sending times, so the oldest is the one of the lowest sequence, whatever its priority.
        var oldest = connection.Long("SELECT sent FROM tasks WHERE sequence = (SELECT min(sequence) FROM tasks INDEXED BY ready WHERE phase = 0)");
        return new QueueInfo
        {
            Address = queue.Address,
            Kind = $"SQLite {connection.Scalar("SELECT sqlite_version()")}, schema {queue.File.Version}",
            Ready = connection.Long("SELECT count(*) FROM tasks WHERE phase = 0"),
            Delayed = connection.Long("SELECT count(*) FROM tasks WHERE phase = 1"),
            Leased = connection.Long("SELECT count(*) FROM tasks WHERE phase = 2"),
            Ended = connection.Long("SELECT count(*) FROM tasks WHERE phase = 3"),
            DeadLetters = connection.Long("SELECT count(*) FROM tasks WHERE phase = 4"),
            Nodes = (int)connection.Long("SELECT count(*) FROM nodes WHERE state NOT IN ('Left', 'Lost')"),
            OldestReady = oldest == 0 ? null : new DateTimeOffset(oldest, TimeSpan.Zero),
            LeaseTime = queue.Options.LeaseTime,
            Retention = queue.Options.Retention,
        };
    }
}
