namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Nodes come and go.</summary>
internal sealed class Registry(QueueClock clock, Settling settling)
{
    public void Join(QueueConnection connection, long session, NodeRegistration node)
    {
        if (connection.Long("SELECT session FROM nodes WHERE name = @name AND state <> 'Left'", ("@name", node.Name)) is not 0 and var earlier)
            Lose(connection, earlier);
        var now = clock.Now;
        connection.Execute("DELETE FROM nodes WHERE name = @name", ("@name", node.Name));
        connection.Execute(
            """
            INSERT INTO nodes (name, session, state, concurrency, cpus, memory, machine, process_id, software, interval, joined, last_seen, heard)
            VALUES (@name, @session, 'Idle', @concurrency, @cpus, @memory, @machine, @process_id, @software, @interval, @now, @now, @heard)
            """,
            ("@name", node.Name), ("@session", session), ("@concurrency", node.Concurrency), ("@cpus", node.Cpus), ("@memory", node.Memory), ("@machine", node.Machine),
            ("@process_id", node.ProcessId), ("@software", node.Software), ("@interval", (long)node.HeartbeatInterval.TotalMilliseconds), ("@now", now.UtcTicks), ("@heard", clock.Monotonic));
        EventLog.Append(connection, Event(QueueEventKind.NodeJoined, node.Name, ""));
    }

    public static bool Has(QueueConnection connection, long session) =>
        connection.Long("SELECT EXISTS (SELECT 1 FROM nodes WHERE session = @session AND state <> 'Left')", ("@session", session)) != 0;

    public void Leave(QueueConnection connection, long session, string name)
    {
        foreach (var task in HeldTask.OfSession(connection, session))
            settling.Release(connection, task, $"The node {name} left.");
        connection.Execute("DELETE FROM orders WHERE session = @session", ("@session", session));
        var left = connection.Execute(
            "UPDATE nodes SET state = 'Left', tasks = '[]', cpus_in_use = 0, memory_in_use = 0, last_seen = @now WHERE session = @session",
            ("@now", clock.Ticks), ("@session", session));
        if (left > 0)
            EventLog.Append(connection, Event(QueueEventKind.NodeLeft, name, ""));
    }

    /// <returns>Whether the registry has the session.</returns>
    public bool Heartbeat(QueueConnection connection, long session, string name, NodeStatus status)
    {
        var before = connection.Scalar("SELECT state FROM nodes WHERE session = @session AND state <> 'Left'", ("@session", session));
        if (before is not string word)
            return false;
        connection.Execute(
            """
            UPDATE nodes SET state = @state, tasks = @tasks, cpus_in_use = @cpus, memory_in_use = @memory, load = @load, finished = @finished, message = @message,
                last_seen = @now, heard = @heard WHERE session = @session
            """,
            ("@state", status.State.ToString()), ("@tasks", Columns.Json(status.Tasks)), ("@cpus", status.Cpus), ("@memory", status.Memory), ("@load", status.Load),
            ("@finished", status.Finished), ("@message", status.Message), ("@now", clock.Ticks), ("@heard", clock.Monotonic), ("@session", session));
        if (NodeChanges.Told(Enum.Parse<NodeState>(word), status.State) is { } kind)
            EventLog.Append(connection, Event(kind, name, status.Message));
        return true;
    }

    /// <summary>Its process is gone: what it had is back at once.</summary>
    public void Lose(QueueConnection connection, long session)
    {
        foreach (var task in HeldTask.OfSession(connection, session))
            settling.Lose(connection, task, lapsed: false);
        connection.Execute("DELETE FROM orders WHERE session = @session", ("@session", session));
        MarkLost(connection, session, "Its process ended.");
    }

    /// <summary>It is not heard of. Its leases say when its tasks are given to others.</summary>
    public void MarkLost(QueueConnection connection, long session, string why)
    {
        var names = connection.Query(
            "UPDATE nodes SET state = 'Lost', tasks = '[]', cpus_in_use = 0, memory_in_use = 0 WHERE session = @session AND state NOT IN ('Left', 'Lost') RETURNING name",
            row => row.GetString(0), ("@session", session));
        foreach (var name in names)
            EventLog.Append(connection, Event(QueueEventKind.NodeLost, name, why));
    }

    public QueueEvent Event(QueueEventKind kind, string node, string message) =>
        new() { Sequence = 0, Time = clock.Now, Kind = kind, Node = node, Message = message };
}
