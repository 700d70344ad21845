using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Finds the next task for a node and leases it.</summary>
internal sealed class Claiming(QueueClock clock, QueueOptions options, Settling settling)
{
    /// <summary>Bounds one transaction; what is left is done by the next.</summary>
    private const int MostAtOnce = 500;

    private TimeSpan LongestDelay => options.Retry.Steps[^1] * 1.2;

    /// <summary>Whether a try to claim would change something; cheap, and without a lock.</summary>
    public bool IsWorthTrying(QueueConnection connection, ClaimRequest request) =>
        Find(connection, request) is not null || HasDue(connection) || HasLapsed(connection);

    /// <summary>When the next task that waits for its time may be claimed; null when none does.</summary>
    public TimeSpan? UntilNextDue(QueueConnection connection)
    {
        var next = connection.Long("SELECT not_before FROM tasks WHERE phase = 1 ORDER BY not_before LIMIT 1");
        return next == 0 ? null : TimeSpan.FromTicks(Math.Max(0, next - clock.Ticks));
    }

    public Claim? TryClaim(QueueConnection connection, long session, string node, ClaimRequest request)
    {
        foreach (var task in HeldTask.Lapsed(connection, clock.Monotonic, MostAtOnce))
            settling.Lose(connection, task, lapsed: true);
        if (HasDue(connection))
            Wake(connection);
        for (var unreadable = 0; unreadable < MostAtOnce; unreadable++)
        {
            if (Find(connection, request) is not { } sequence)
                return null;
            if (TryLease(connection, session, node, sequence) is { } claim)
                return claim;
        }
        return null;
    }

    private Claim? TryLease(QueueConnection connection, long session, string node, long sequence)
    {
        var (json, sent) = connection.Query("SELECT document, sent FROM tasks WHERE sequence = @sequence", row => (row.GetFieldValue<byte[]>(0), row.Time(1)), ("@sequence", sequence))[0];
        var now = clock.Now;
        var lease = Random.Shared.NextInt64(1, long.MaxValue);
        connection.Execute(
            """
            UPDATE tasks SET phase = 2, state = 'Initializing', session = @session, lease = @lease, deadline = @deadline, node = @node, started = @started, finished = NULL
            WHERE sequence = @sequence
            """,
            ("@session", session), ("@lease", lease), ("@deadline", Deadline), ("@node", node), ("@started", now.UtcTicks), ("@sequence", sequence));
        var task = connection.Query("SELECT sequence, id, name, node, phase, failed_attempts, losses, cancel_requested, started, attempts FROM tasks WHERE sequence = @sequence", HeldTask.Read, ("@sequence", sequence))[0];
        TaskDocument document;
        IReadOnlyList<string> warnings;
        try
        {
            document = TaskDocumentReader.ReadLenient(json, out warnings);
        }
        catch (InvalidTaskDocumentException error)
        {
            settling.RejectUnreadable(connection, task with { Node = null }, error.Message);
            return null;
        }
        if (document.Id != task.Id)
        {
            settling.RejectUnreadable(connection, task with { Node = null }, document.Id is null ? "The document has no id." : $"The document's id is '{document.Id}', but it was sent as '{task.Id}'.");
            return null;
        }
        EventLog.Append(connection, task.Event(QueueEventKind.TaskClaimed, now, TaskState.Initializing) with { Attempt = task.FailedAttempts + 1 });
        return new Claim(task, lease, document, warnings, sent);
    }

    /// <summary>Of a lease that begins now.</summary>
    public long Deadline => clock.Monotonic + (long)options.LeaseTime.TotalMilliseconds;

    private static long? Find(QueueConnection connection, ClaimRequest request)
    {
        (long Sequence, int Priority)? best = null;
        if (request.Workflows.Count == 0)
            best = First(connection, null, request);
        foreach (var workflow in request.Workflows)
        {
            if (First(connection, workflow, request) is { } found
                && (best is null || found.Priority > best.Value.Priority || (found.Priority == best.Value.Priority && found.Sequence < best.Value.Sequence)))
                best = found;
        }
        return best?.Sequence;
    }

    public static string Statement(bool ofWorkflow) =>
        $"SELECT sequence, priority FROM tasks WHERE phase = 0 {(ofWorkflow ? "AND workflow = @workflow" : "")} AND cpus <= @cpus AND memory <= @memory ORDER BY priority DESC, sequence LIMIT 1";

    private static (long Sequence, int Priority)? First(QueueConnection connection, string? workflow, ClaimRequest request)
    {
        var rows = connection.Query(
            Statement(ofWorkflow: workflow is not null),
            row => (row.GetInt64(0), row.GetInt32(1)),
            ("@cpus", request.Cpus), ("@memory", request.Memory), ("@workflow", workflow));
        return rows.Count == 0 ? null : rows[0];
    }

    private bool HasLapsed(QueueConnection connection) =>
        connection.Long("SELECT EXISTS (SELECT 1 FROM tasks WHERE phase = 2 AND deadline < @now)", ("@now", clock.Monotonic)) != 0;

    // A clock that was set back must not make a task wait for longer than it could have been told to.
    private bool HasDue(QueueConnection connection) =>
        connection.Long("SELECT EXISTS (SELECT 1 FROM tasks WHERE phase = 1 AND not_before <= @now) OR EXISTS (SELECT 1 FROM tasks WHERE phase = 1 AND not_before > @latest)",
            ("@now", clock.Ticks), ("@latest", (clock.Now + LongestDelay).UtcTicks)) != 0;

    private void Wake(QueueConnection connection) => connection.Execute(
        "UPDATE tasks SET phase = 0, not_before = NULL WHERE phase = 1 AND (not_before <= @now OR not_before > @latest)",
        ("@now", clock.Ticks), ("@latest", (clock.Now + LongestDelay).UtcTicks));
}
