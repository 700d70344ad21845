namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Orders to nodes: rows until their node has taken them.</summary>
internal static class Orders
{
    private const string Cancel = "Cancel";

    public static void Stop(QueueConnection connection, long session, NodeStop how)
    {
        connection.Execute("INSERT INTO orders (session, kind) VALUES (@session, @kind)", ("@session", session), ("@kind", how.ToString()));
        connection.Wake(Topics.Orders);
    }

    public static bool Any(QueueConnection connection, long session) =>
        connection.Long("SELECT EXISTS (SELECT 1 FROM orders WHERE session = @session)", ("@session", session)) != 0;

    /// <summary>Takes the oldest off: each is given once. One at a time, so that a reader who stops leaves the others.</summary>
    public static NodeSignal? Take(QueueConnection connection, long session)
    {
        var orders = connection.Query(
            "SELECT sequence, kind, task FROM orders WHERE session = @session ORDER BY sequence LIMIT 1",
            row => (Sequence: row.GetInt64(0), Kind: row.GetString(1), Task: row.Text(2)),
            ("@session", session));
        if (orders.Count == 0)
            return null;
        var (sequence, kind, task) = orders[0];
        connection.Execute("DELETE FROM orders WHERE sequence = @sequence", ("@sequence", sequence));
        return kind == Cancel ? new CancelSignal(task!) : new StopSignal(Enum.Parse<NodeStop>(kind));
    }
}
