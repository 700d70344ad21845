using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>The node's session at the queue, taken anew when it is lost.</summary>
internal sealed class Seat : IAsyncDisposable
{
    private readonly ITaskQueue _queue;
    private readonly QueueLine _line;
    private readonly SemaphoreSlim _one = new(1, 1);
    private NodeRegistration _registration;
    private volatile INodeSession _session;

    private Seat(ITaskQueue queue, QueueLine line, NodeRegistration registration, INodeSession session) =>
        (_queue, _line, _registration, _session) = (queue, line, registration, session);

    public INodeSession Session => _session;

    /// <exception cref="QueueException">The queue can't be joined, whether waiting would help or not: at its start a node tells its operator.</exception>
    public static async Task<Seat> TakeAsync(ITaskQueue queue, QueueLine line, NodeRegistration registration, CancellationToken cancellationToken) =>
        new(queue, line, registration, await queue.JoinAsync(registration, cancellationToken).ConfigureAwait(false));

    /// <summary>Asks until the queue answers, with a new session where the old one is lost.</summary>
    /// <exception cref="QueueException">Waiting would not help; <see cref="QueueFailure.NodeNameTaken"/> when somebody else has the name meanwhile.</exception>
    public async Task<T> CallAsync<T>(Func<INodeSession, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            var session = _session;
            try
            {
                return await _line.CallAsync(token => call(session, token), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is ObjectDisposedException or QueueException { Failure: QueueFailure.SessionLost })
            {
                await RejoinAsync(session, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Takes the seat with other figures; only while nothing is leased.</summary>
    public async Task ChangeAsync(double cpus, long memory, CancellationToken cancellationToken)
    {
        _registration = _registration with { Cpus = cpus, Memory = memory };
        await RejoinAsync(_session, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync(_session).ConfigureAwait(false);
        _one.Dispose();
    }

    private async Task RejoinAsync(INodeSession lost, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(lost, _session))
                return;
            await LeaveAsync(lost).ConfigureAwait(false);
            _session = await _line.CallAsync(token => _queue.JoinAsync(_registration, token), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private static async Task LeaveAsync(INodeSession session)
    {
        try
        {
            await session.DisposeAsync().ConfigureAwait(false);
        }
        catch (QueueException)
        {
            // The queue finds out by itself that the session is over.
        }
    }
}
