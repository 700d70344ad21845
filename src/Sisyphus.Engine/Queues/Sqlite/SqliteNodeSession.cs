using System.Runtime.CompilerServices;

namespace Sisyphus.Engine.Queues.Sqlite;

internal sealed class SqliteNodeSession(SqliteTaskQueue queue, NodeRegistration node, long id, FileStream nameLock) : INodeSession
{
    private readonly CancellationTokenSource _closing = new();
    private int _disposed;

    public SqliteTaskQueue Queue => queue;

    public long Id => id;

    public string Name => node.Name;

    public TimeSpan LeaseTime => queue.Options.LeaseTime;

    public async Task<IDelivery> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        while (true)
        {
            var sent = queue.File.Signals.Next(Topics.Tasks);
            var worthTrying = await queue.File.ReadAsync(connection => queue.Claiming.IsWorthTrying(connection, request), cancellationToken).ConfigureAwait(false);
            if (worthTrying)
            {
                var claim = await queue.File.WriteAsync(connection => queue.Claiming.TryClaim(connection, id, Name, request), cancellationToken).ConfigureAwait(false);
                if (claim is not null)
                    return new SqliteDelivery(this, claim);
            }
            await queue.Upkeep.RunAsync(id, cancellationToken).ConfigureAwait(false);
            var due = await queue.File.ReadAsync(queue.Claiming.UntilNextDue, cancellationToken).ConfigureAwait(false);
            await queue.WaitAsync(sent, due, cancellationToken).ConfigureAwait(false);
            ThrowIfDisposed();
        }
    }

    public Task HeartbeatAsync(NodeStatus status, CancellationToken cancellationToken) => throw new NotImplementedException();

    public async IAsyncEnumerable<NodeSignal> ReadSignalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield break;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _closing.CancelAsync().ConfigureAwait(false);
        try
        {
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
            _closing.Dispose();
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, typeof(INodeSession));
}
