using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Events, written in the transaction of what they tell.</summary>
internal static class EventLog
{
    private const int MostSoughtByIndex = 50;

    public static void Append(QueueConnection connection, QueueEvent happened)
    {
        connection.Execute(
            """
            INSERT INTO events (time, kind, task, name, node, state, attempt, reason, message, not_before)
            VALUES (@time, @kind, @task, @name, @node, @state, @attempt, @reason, @message, @not_before)
            """,
            ("@time", happened.Time.UtcTicks), ("@kind", happened.Kind.ToString()), ("@task", happened.TaskId), ("@name", happened.TaskName),
            ("@node", happened.Node), ("@state", happened.State?.ToString()), ("@attempt", happened.Attempt), ("@reason", happened.Reason?.ToString()),
            ("@message", happened.Message), ("@not_before", happened.NotBefore?.UtcTicks));
        connection.Wake(Topics.Events);
    }

    /// <summary>Of the newest, also when retention has removed it.</summary>
    public static long Last(QueueConnection connection) => connection.Long("SELECT seq FROM sqlite_sequence WHERE name = 'events'");

    public static List<QueueEvent> Read(QueueConnection connection, long after, IReadOnlyList<string> taskIds, string idsJson, int most)
    {
        // Of many tasks it is cheaper to look at every event than to look every task up; the plus sign keeps the index out.
        var filter = taskIds.Count == 0 ? "" : $"AND {(taskIds.Count > MostSoughtByIndex ? "+" : "")}task IN (SELECT value FROM json_each(@ids))";
        return connection.Query(
            $"""
            SELECT sequence, time, kind, task, name, node, state, attempt, reason, message, not_before
            FROM events WHERE sequence > @after {filter} ORDER BY sequence LIMIT @most
            """,
            Read,
            ("@after", after), ("@ids", idsJson), ("@most", most));
    }

    private static QueueEvent Read(SqliteDataReader row) => new()
    {
        Sequence = row.GetInt64(0),
        Time = row.Time(1),
        Kind = row.Word<QueueEventKind>(2),
        TaskId = row.Text(3),
        TaskName = row.Text(4),
        Node = row.Text(5),
        State = row.WordOrNull<TaskState>(6),
        Attempt = (int?)row.Number(7),
        Reason = row.WordOrNull<FailureReason>(8),
        Message = row.GetString(9),
        NotBefore = row.TimeOrNull(10),
    };
}
