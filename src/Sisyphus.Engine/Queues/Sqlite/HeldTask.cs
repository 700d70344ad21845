using System.Text.Json;
using Microsoft.Data.Sqlite;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>A task in the hands of a node, as far as settling it needs.</summary>
internal sealed record HeldTask(long Sequence, string Id, string? Name, string? Node, int Phase, int FailedAttempts, int Losses, bool CancelRequested, DateTimeOffset? Started, string AttemptsJson)
{
    private const string Columns = "sequence, id, name, node, phase, failed_attempts, losses, cancel_requested, started, attempts";

    /// <summary>Of this lease, whether it lapsed or not, as long as nobody else has claimed the task.</summary>
    public static HeldTask? OfLease(QueueConnection connection, long sequence, long lease) =>
        connection.Query($"SELECT {Columns} FROM tasks WHERE sequence = @sequence AND lease = @lease AND phase IN (0, 2)", Read, ("@sequence", sequence), ("@lease", lease)).FirstOrDefault();

    public static List<HeldTask> OfSession(QueueConnection connection, long session) =>
        connection.Query($"SELECT {Columns} FROM tasks WHERE phase = 2 AND session = @session ORDER BY sequence", Read, ("@session", session));

    public static List<HeldTask> Lapsed(QueueConnection connection, long now, int most) =>
        connection.Query($"SELECT {Columns} FROM tasks WHERE phase = 2 AND deadline < @now ORDER BY deadline LIMIT @most", Read, ("@now", now), ("@most", most));

    /// <summary>By id, whatever its phase.</summary>
    public static HeldTask? OfId(QueueConnection connection, string id) =>
        connection.Query($"SELECT {Columns} FROM tasks WHERE id = @id", Read, ("@id", id)).FirstOrDefault();

    public static HeldTask Read(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.Text(2), row.Text(3), row.GetInt32(4), row.GetInt32(5), row.GetInt32(6), row.GetInt64(7) != 0, row.TimeOrNull(8), row.GetString(9));

    public string AttemptsWith(AttemptSummary attempt) => JsonSerializer.Serialize(Attempts.Append(attempt));

    public string AttemptsWithoutLast() => JsonSerializer.Serialize(Attempts.SkipLast(1));

    public AttemptSummary Attempt(int number, TaskEnd end) => new(number, Node ?? "", end.Started, end.Finished, end.Reason ?? FailureReason.Internal, end.Message);

    public QueueEvent Event(QueueEventKind kind, DateTimeOffset time, TaskState state) =>
        new() { Sequence = 0, Time = time, Kind = kind, TaskId = Id, TaskName = Name, Node = Node, State = state };

    private AttemptSummary[] Attempts => JsonSerializer.Deserialize<AttemptSummary[]>(AttemptsJson) ?? [];
}
