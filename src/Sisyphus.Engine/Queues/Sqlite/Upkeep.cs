namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What somebody has to do now and then, whoever is there: taking back from nodes that are gone, and removing what is old.</summary>
internal sealed class Upkeep(QueueFile file, QueueClock clock, Registry registry, TimeSpan retention)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RemovalInterval = TimeSpan.FromMinutes(1);
    private const int MostPortions = 10;

    private long _last = long.MinValue;
    private long _lastRemoval = long.MinValue;

    /// <summary>By who only looks: it takes back, but does not fail where the file can't be written.</summary>
    public async Task RunForReaderAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (IsDue(out _))
                await TakeBackAsync(0, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException)
        {
            // What it wants to know can still be read, and a node will do this when it can.
        }
    }

    /// <summary>By a node. Does nothing when it was done within the last second.</summary>
    /// <param name="self">Its session, which is known to live.</param>
    public async Task RunAsync(long self, CancellationToken cancellationToken)
    {
        if (!IsDue(out var now))
            return;
        await TakeBackAsync(self, cancellationToken).ConfigureAwait(false);
        if (_lastRemoval == long.MinValue || now - _lastRemoval >= RemovalInterval.TotalMilliseconds)
        {
            _lastRemoval = now;
            await RemoveOldAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private bool IsDue(out long now)
    {
        now = clock.Monotonic;
        var last = Interlocked.Read(ref _last);
        return (last == long.MinValue || now - last >= Interval.TotalMilliseconds) && Interlocked.CompareExchange(ref _last, now, last) == last;
    }

    private async Task RemoveOldAsync(CancellationToken cancellationToken)
    {
        await file.WriteAsync(Change(connection => Outputs.RemoveUnread(connection, clock.Monotonic)), cancellationToken).ConfigureAwait(false);
        var before = (clock.Now - retention).UtcTicks;
        for (var portion = 0; portion < MostPortions; portion++)
        {
            if (!await file.WriteAsync(connection => Retention.RemovePortion(connection, before), cancellationToken).ConfigureAwait(false))
                break;
        }
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
