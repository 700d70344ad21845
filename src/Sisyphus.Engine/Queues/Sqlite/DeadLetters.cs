using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Tasks that ended in error.</summary>
internal static class DeadLetters
{
    public static List<(long Sequence, DeadLetter Letter)> Read(QueueConnection connection, IReadOnlyList<string> ids, string idsJson, long after, int most) => connection.Query(
        Statement(all: ids.Count == 0),
        row => (row.GetInt64(0), Read(row)),
        ("@after", after), ("@ids", idsJson), ("@most", most));

    /// <summary>All are found by the index of their phase, which the planner would leave aside for the order that it gives anyway.</summary>
    public static string Statement(bool all) =>
        $"""
        SELECT sequence, id, name, workflow, state, reason, message, attempts, log_tail, record, sent, finished, document
        FROM tasks {(all ? "INDEXED BY dead" : "")} WHERE phase = 4 AND sequence > @after {(all ? "" : "AND id IN (SELECT value FROM json_each(@ids))")} ORDER BY sequence LIMIT @most
        """;

    public static bool Resume(QueueConnection connection, QueueClock clock, string id)
    {
        if (HeldTask.OfId(connection, id) is not { Phase: Phase.Dead } task)
            return false;
        connection.Execute(
            """
            UPDATE tasks SET phase = 0, state = 'Queued', failed_attempts = 0, losses = 0, attempts = '[]', reason = NULL, message = '', node = NULL,
                started = NULL, finished = NULL, ended = NULL, exit_codes = '[]', peak_memory = NULL, log_tail = '' WHERE sequence = @sequence
            """,
            ("@sequence", task.Sequence));
        EventLog.Append(connection, (task with { Node = null }).Event(QueueEventKind.TaskResumed, clock.Now, TaskState.Queued));
        connection.Wake(Topics.Tasks);
        return true;
    }

    private static DeadLetter Read(SqliteDataReader row) => new()
    {
        Id = row.GetString(1),
        Name = row.Text(2),
        Workflow = row.Text(3),
        State = row.Word<TaskState>(4),
        Reason = row.Word<FailureReason>(5),
        Message = row.GetString(6),
        Attempts = JsonSerializer.Deserialize<AttemptSummary[]>(row.GetString(7)) ?? [],
        LogTail = row.GetString(8),
        Record = row.Text(9),
        Sent = row.Time(10),
        Finished = row.Time(11),
        Document = Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(12)),
    };
}
