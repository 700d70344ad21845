using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The tasks in the file, page by page, so that no list of all is ever in memory and no transaction stays open.</summary>
internal static class TaskList
{
    /// <summary>Where the last so many of the chosen begin.</summary>
    public static long FirstOfLast(QueueConnection connection, TaskQuery query, int last) => connection.Long(
        $"SELECT min(sequence) FROM (SELECT sequence FROM {Source(query)} WHERE {Filter(query)} ORDER BY sequence DESC LIMIT @last)",
        [.. Values(query), ("@last", last)]) - 1;

    public static List<(long Sequence, TaskSummary Task)> Read(QueueConnection connection, TaskQuery query, long after, int most) =>
        connection.Query(Statement(query), row => (row.GetInt64(0), Read(row)), [.. Values(query), ("@after", after), ("@most", most)]);

    public static string Statement(TaskQuery query) =>
        $"""
        SELECT sequence, id, name, workflow, state, reason, message, image, priority, failed_attempts, losses, node, sent, not_before,
            started, finished, exit_codes, peak_memory, record, cancel_requested
        FROM {Source(query)} WHERE sequence > @after AND {Filter(query)} ORDER BY sequence LIMIT @most
        """;

    /// <summary>Where the states allow it the index of a phase: among a million that ended, the few that run are found at once. The planner would go through all of them.</summary>
    private static string Source(TaskQuery query) => query switch
    {
        _ when query.Ids.Count > 0 => "tasks",
        _ when IsOf(query, TaskState.Initializing, TaskState.Running) => "tasks INDEXED BY leased_by",
        _ when IsOf(query, TaskState.ExecutorError, TaskState.SystemError) => "tasks INDEXED BY dead",
        _ => "tasks",
    };

    private static bool IsOf(TaskQuery query, TaskState one, TaskState other) => query.States.Count > 0 && query.States.All(state => state == one || state == other);

    private static string Filter(TaskQuery query)
    {
        var filters = new List<string>();
        if (query.Ids.Count > 0)
            filters.Add("id IN (SELECT value FROM json_each(@ids))");
        if (query.States.Count > 0)
            filters.Add("state IN (SELECT value FROM json_each(@states))");
        if (IsOf(query, TaskState.Initializing, TaskState.Running))
            filters.Add("phase = 2");
        if (IsOf(query, TaskState.ExecutorError, TaskState.SystemError))
            filters.Add("phase = 4");
        if (query.Workflow is not null)
            filters.Add("workflow = @workflow");
        if (query.Node is not null)
            filters.Add("node = @node");
        return filters.Count == 0 ? "TRUE" : string.Join(" AND ", filters);
    }

    public static (string Name, object? Value)[] Values(TaskQuery query) =>
    [
        ("@ids", Columns.Json(query.Ids)),
        ("@states", Columns.Json(query.States.Select(state => state.ToString()))),
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
