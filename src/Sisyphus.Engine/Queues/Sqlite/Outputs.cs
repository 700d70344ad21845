namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What running tasks write, for as long as somebody reads it.</summary>
internal static class Outputs
{
    /// <summary>Batches of a task that are kept for a reader who is slow.</summary>
    public const int MostBatches = 64;

    // A deadline far away is of a time before the machine started anew.
    private const string Alive = "deadline BETWEEN @now AND @latest";

    private static readonly long s_life = (long)OutputWish.Life.TotalMilliseconds;

    public static void Wish(QueueConnection connection, IReadOnlyList<string> tasks, long reader, long now)
    {
        foreach (var task in tasks)
            connection.Execute("INSERT OR REPLACE INTO output_wishes (task, reader, deadline) VALUES (@task, @reader, @deadline)", ("@task", task), ("@reader", reader), ("@deadline", now + s_life));
        RemoveUnread(connection, now);
        connection.Wake(Topics.OutputWishes);
    }

    public static void Leave(QueueConnection connection, IReadOnlyList<string> tasks, long reader, long now)
    {
        foreach (var task in tasks)
            connection.Execute("DELETE FROM output_wishes WHERE task = @task AND reader = @reader", ("@task", task), ("@reader", reader));
        RemoveUnread(connection, now);
        connection.Wake(Topics.OutputWishes);
    }

    public static HashSet<string> Wished(QueueConnection connection, long now) =>
        [.. connection.Query($"SELECT DISTINCT task FROM output_wishes WHERE {Alive}", row => row.GetString(0), ("@now", now), ("@latest", now + s_life))];

    public static void RemoveUnread(QueueConnection connection, long now)
    {
        connection.Execute($"DELETE FROM output_wishes WHERE NOT ({Alive})", ("@now", now), ("@latest", now + s_life));
        connection.Execute("DELETE FROM output WHERE task NOT IN (SELECT task FROM output_wishes)");
    }

    public static void Append(QueueConnection connection, OutputBatch batch)
    {
        connection.Execute("INSERT INTO output (task, batch) VALUES (@task, @batch)", ("@task", batch.Task), ("@batch", OutputJson.Write(batch)));
        connection.Execute(
            "DELETE FROM output WHERE task = @task AND sequence <= (SELECT sequence FROM output WHERE task = @task ORDER BY sequence DESC LIMIT 1 OFFSET @most)",
            ("@task", batch.Task), ("@most", MostBatches));
        connection.Wake(Topics.Output);
    }

    /// <summary>Of the newest, also when it has been removed.</summary>
    public static long Last(QueueConnection connection) => connection.Long("SELECT seq FROM sqlite_sequence WHERE name = 'output'");

    public static List<(long Sequence, OutputBatch? Batch)> Read(QueueConnection connection, string idsJson, long after, int most) => connection.Query(
        "SELECT sequence, batch FROM output WHERE sequence > @after AND task IN (SELECT value FROM json_each(@ids)) ORDER BY sequence LIMIT @most",
        row => (row.GetInt64(0), OutputJson.Read(row.GetFieldValue<byte[]>(1))),
        ("@after", after), ("@ids", idsJson), ("@most", most));

    /// <summary>Whether all of them have ended.</summary>
    public static bool AreOver(QueueConnection connection, string idsJson) =>
        connection.Long("SELECT EXISTS (SELECT 1 FROM tasks WHERE phase < 3 AND id IN (SELECT value FROM json_each(@ids)))", ("@ids", idsJson)) == 0;
}
