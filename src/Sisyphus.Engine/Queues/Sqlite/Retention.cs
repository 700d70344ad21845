namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Removes what is older than the retention. In portions, so that nobody waits long for the file.</summary>
internal static class Retention
{
    public const int Portion = 1000;

    /// <returns>Whether there may be more.</returns>
    public static bool RemovePortion(QueueConnection connection, long before)
    {
        var tasks = connection.Execute(
            "DELETE FROM tasks WHERE sequence IN (SELECT sequence FROM tasks WHERE phase = 3 AND ended < @before ORDER BY ended LIMIT @portion)",
            ("@before", before), ("@portion", Portion));
        // Events are in the order of their times but for a clock that was set back, and then they go a little later.
        var events = connection.Execute(
            "DELETE FROM events WHERE sequence IN (SELECT sequence FROM (SELECT sequence, time FROM events ORDER BY sequence LIMIT @portion) WHERE time < @before)",
            ("@before", before), ("@portion", Portion));
        connection.Execute("DELETE FROM nodes WHERE state IN ('Left', 'Lost') AND last_seen < @before", ("@before", before));
        return tasks == Portion || events == Portion;
    }
}
