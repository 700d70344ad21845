using System.Runtime.CompilerServices;

namespace Sisyphus.Engine.Queues.Sqlite;

internal sealed class SqliteNodeSession(SqliteTaskQueue queue, NodeRegistration node, long id, FileStream nameLock) : INodeSession
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NodeOutput _output = new(queue);
    private int _disposed;

    public SqliteTaskQueue Queue => queue;

    public long Id => id;

    public OutputOutbox Output => _output.Outbox;

    public string Name => node.Name;

    public TimeSpan LeaseTime => queue.Options.LeaseTime;

    public string? Caution => null;

    public async Task<IDelivery> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        while (true)
        {
            var sent = queue.File.Signals.Next(Topics.Tasks);
            var worthTrying = await queue.File.ReadAsync(connection => queue.Claiming.IsWorthTrying(connection, request), cancellationToken).ConfigureAwait(false);
            if (worthTrying)
            {
                var claim = await queue.File.WriteAsync(connection => Registry.Has(connection, id) ? queue.Claiming.TryClaim(connection, id, Name, request) : throw SessionLost(), cancellationToken).ConfigureAwait(false);
                if (claim is not null)
                    return new SqliteDelivery(this, claim);
            }
            await queue.Upkeep.RunAsync(id, cancellationToken).ConfigureAwait(false);
            var due = await queue.File.ReadAsync(queue.Claiming.UntilNextDue, cancellationToken).ConfigureAwait(false);
            await queue.WaitAsync(Task.WhenAny(sent, _closed.Task), due, cancellationToken).ConfigureAwait(false);
            ThrowIfDisposed();
        }
    }

    public async Task HeartbeatAsync(NodeStatus status, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        var known = await queue.File.WriteAsync(connection => queue.Registry.Heartbeat(connection, id, Name, status), cancellationToken).ConfigureAwait(false);
        if (!known)
            throw SessionLost();
        await queue.Upkeep.RunAsync(id, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<NodeSignal> ReadSignalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (!_closed.Task.IsCompleted)
        {
            var ordered = queue.File.Signals.Next(Topics.Orders);
            if (await queue.File.ReadAsync(connection => Orders.Any(connection, id), cancellationToken).ConfigureAwait(false))
            {
                if (await queue.File.WriteAsync(connection => Orders.Take(connection, id), cancellationToken).ConfigureAwait(false) is { } order)
                    yield return order;
                continue;
            }
            await queue.WaitAsync(Task.WhenAny(ordered, _closed.Task), null, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _closed.TrySetResult();
        try
        {
            await _output.DisposeAsync().ConfigureAwait(false);
            await queue.File.WriteAsync(
                connection =>
                {
                    queue.Registry.Leave(connection, id, Name);
                    return true;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            await nameLock.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>As if the process had been killed; for tests.</summary>
    public async ValueTask KillAsync()
    {
        Interlocked.Exchange(ref _disposed, 1);
        _closed.TrySetResult();
        await _output.DisposeAsync().ConfigureAwait(false);
        await nameLock.DisposeAsync().ConfigureAwait(false);
    }

    private QueueException SessionLost() => new(
        QueueFailure.SessionLost,
        $"The node {Name} is not in the registry of the queue {queue.File.FilePath} any more: it was away for too long, or another process has its name. Join again.");

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, typeof(INodeSession));
}
