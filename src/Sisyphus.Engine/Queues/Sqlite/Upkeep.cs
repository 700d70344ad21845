namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What somebody has to do now and then, whoever is there: taking back from nodes that are gone.</summary>
internal sealed class Upkeep(QueueFile file, QueueClock clock, Registry registry)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private long _last = long.MinValue;

    /// <summary>Does nothing when it was done within the last second.</summary>
    /// <param name="self">A session that is known to live; 0 for none.</param>
    public async Task RunAsync(long self, CancellationToken cancellationToken)
    {
        var now = clock.Monotonic;
        var last = Interlocked.Read(ref _last);
        if ((last != long.MinValue && now - last < Interval.TotalMilliseconds) || Interlocked.CompareExchange(ref _last, now, last) != last)
            return;
        await TakeBackAsync(self, cancellationToken).ConfigureAwait(false);
    }

    private async Task TakeBackAsync(long self, CancellationToken cancellationToken)
    {
        var sessions = await file.ReadAsync(
            connection => connection.Query(
                "SELECT session, name, state, heard + 3 * interval < @now FROM nodes WHERE session <> @self AND (state NOT IN ('Left', 'Lost') OR EXISTS (SELECT 1 FROM tasks WHERE phase = 2 AND tasks.session = nodes.session))",
                row => (Id: row.GetInt64(0), Name: row.GetString(1), State: row.Word<NodeState>(2), IsSilent: row.GetInt64(3) != 0),
                ("@self", self), ("@now", clock.Monotonic)),
            cancellationToken).ConfigureAwait(false);
        foreach (var session in sessions)
        {
            var isGone = await Task.Run(() => NodeLock.IsFree(file.NodesFolder, session.Name), cancellationToken).ConfigureAwait(false);
            if (isGone)
                await file.WriteAsync(Change(connection => registry.Lose(connection, session.Id)), cancellationToken).ConfigureAwait(false);
            else if (session.IsSilent && session.State != NodeState.Lost)
                await file.WriteAsync(Change(connection => registry.MarkLost(connection, session.Id, "It was not heard of for three of its heartbeats.")), cancellationToken).ConfigureAwait(false);
        }
    }

    private static Func<QueueConnection, bool> Change(Action<QueueConnection> change) => connection =>
    {
        change(connection);
        return true;
    };
}
