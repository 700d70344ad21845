using Microsoft.Data.Sqlite;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The registry as others see it.</summary>
internal static class NodeList
{
    public static List<NodeInfo> Read(QueueConnection connection) => connection.Query(
        """
        SELECT name, state, concurrency, tasks, cpus_in_use, cpus, memory_in_use, memory, load, finished, message, machine, process_id, software, joined, last_seen
        FROM nodes ORDER BY name
        """,
        Read);

    private static NodeInfo Read(SqliteDataReader row) => new()
    {
        Name = row.GetString(0),
        State = row.Word<NodeState>(1),
        Concurrency = row.GetInt32(2),
        Tasks = row.List<string>(3),
        CpusInUse = row.GetDouble(4),
        Cpus = row.GetDouble(5),
        MemoryInUse = row.GetInt64(6),
        Memory = row.GetInt64(7),
        Load = row.Real(8),
        Finished = row.GetInt64(9),
        Message = row.GetString(10),
        Machine = row.GetString(11),
        ProcessId = row.GetInt32(12),
        Software = row.GetString(13),
        Joined = row.Time(14),
        LastSeen = row.Time(15),
    };
}
