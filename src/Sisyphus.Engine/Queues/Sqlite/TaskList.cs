using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The tasks in the file, page by page, so that no list of all is ever in memory and no transaction stays open.</summary>
internal static class TaskList
{
    private const string Filter = """
        (@all_ids OR id IN (SELECT value FROM json_each(@ids)))
        AND (@all_states OR state IN (SELECT value FROM json_each(@states)))
        AND (@workflow IS NULL OR workflow = @workflow)
        AND (@node IS NULL OR node = @node)
        """;

    /// <summary>Where the last so many of the chosen begin.</summary>
    public static long FirstOfLast(QueueConnection connection, TaskQuery query, int last) => connection.Long(
        $"SELECT min(sequence) FROM (SELECT sequence FROM tasks WHERE {Filter} ORDER BY sequence DESC LIMIT @last)",
        [.. Values(query), ("@last", last)]) - 1;

    public static List<(long Sequence, TaskSummary Task)> Read(QueueConnection connection, TaskQuery query, long after, int most) => connection.Query(
        $"""
        SELECT sequence, id, name, workflow, state, reason, message, image, priority, failed_attempts, losses, node, sent, not_before,
            started, finished, exit_codes, peak_memory, record, cancel_requested
        FROM tasks WHERE sequence > @after AND {Filter} ORDER BY sequence LIMIT @most
        """,
        row => (row.GetInt64(0), Read(row)),
        [.. Values(query), ("@after", after), ("@most", most)]);

    private static (string Name, object? Value)[] Values(TaskQuery query) =>
    [
        ("@all_ids", query.Ids.Count == 0), ("@ids", Columns.Json(query.Ids)),
        ("@all_states", query.States.Count == 0), ("@states", Columns.Json(query.States.Select(state => state.ToString()))),
        ("@workflow", query.Workflow), ("@node", query.Node),
    ];

    private static TaskSummary Read(SqliteDataReader row) => new()
    {
        Id = row.GetString(1),
        Name = row.Text(2),
        Workflow = row.Text(3),
        State = row.Word<TaskState>(4),
        Reason = row.WordOrNull<FailureReason>(5),
        Message = row.GetString(6),
        Image = row.GetString(7),
        Priority = row.GetInt32(8),
        Attempts = row.GetInt32(9),
        Losses = row.GetInt32(10),
        Node = row.Text(11),
        Sent = row.Time(12),
        NotBefore = row.TimeOrNull(13),
        Started = row.TimeOrNull(14),
        Finished = row.TimeOrNull(15),
        ExitCodes = row.List<int>(16),
        PeakMemory = row.Number(17),
        Record = row.Text(18),
        CancelRequested = row.GetInt64(19) != 0,
    };
}
