namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What a node's tasks write: to the file as far as somebody reads it.</summary>
internal sealed class NodeOutput : IAsyncDisposable
{
    private readonly SqliteTaskQueue _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _following;
    private volatile HashSet<string> _wished = [];

    public NodeOutput(SqliteTaskQueue queue)
    {
        _queue = queue;
        Outbox = new OutputOutbox(task => _wished.Contains(task), WriteAsync, TimeProvider.System);
        _following = Task.Run(() => FollowAsync(_stop.Token));
    }

    public OutputOutbox Outbox { get; }

    public async ValueTask DisposeAsync()
    {
        await Outbox.DisposeAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
        _stop.Dispose();
    }

    private Task<bool> WriteAsync(IReadOnlyList<OutputBatch> batches, CancellationToken cancellationToken) => _queue.File.WriteAsync(
        connection =>
        {
            foreach (var batch in batches)
                Outputs.Append(connection, batch);
            return true;
        },
        cancellationToken);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var changed = _queue.File.Signals.Next(Topics.OutputWishes);
            try
            {
                _wished = await _queue.File.ReadAsync(connection => Outputs.Wished(connection, _queue.Clock.Monotonic), cancellationToken).ConfigureAwait(false);
                await _queue.WaitAsync(changed, null, cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException)
            {
                // The node hears of it by more important calls.
                await Task.Delay(OutputOutbox.Interval, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
