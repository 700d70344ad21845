using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Keeps a delivery leased, independently of all else, and stops the attempt when the queue's answer or an order says so.</summary>
internal sealed class Lease(IDelivery delivery, TimeSpan leaseTime, QueueLine line, TimeProvider time, CancellationToken abandon) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(abandon);
    private readonly CancellationTokenSource _leave = CancellationTokenSource.CreateLinkedTokenSource(abandon);
    private readonly Lock _gate = new();
    private Task _stopping = Task.CompletedTask;
    private bool _isOver;
    private volatile bool _isLost;
    private volatile bool _isCancelRequested;

    /// <summary>Another node has the task, or it is over: what was done here is thrown away.</summary>
    public bool IsLost => _isLost;

    public bool IsCancelRequested => _isCancelRequested;

    /// <summary>The attempt has to stop, for one of the reasons above or because the node is abandoned.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Also what a cancel comes too late for has to stop: the task is another's, or the node is abandoned.</summary>
    public CancellationToken Leave => _leave.Token;

    /// <summary>Somebody wants the task canceled.</summary>
    public void Cancel()
    {
        _isCancelRequested = true;
        Cancel(_stop);
    }

    /// <summary>Renews until it is over.</summary>
    public async Task KeepAsync(CancellationToken over)
    {
        for (var failures = 0; ;)
        {
            // Sooner when the last one failed: the lease may be about to lapse.
            var pause = leaseTime / 3;
            if (failures > 0 && RetryBackoff.After(failures, Random.Shared.NextDouble()) is var sooner && sooner < pause)
                pause = sooner;
            await Task.Delay(pause, time, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (over.IsCancellationRequested || _isLost)
                return;
            failures = await RenewAsync(over).ConfigureAwait(false) ? 0 : failures + 1;
        }
    }

    /// <summary>Right before the container starts. A queue that does not answer is no reason to wait: the lease may still hold, and publishing is exclusive anyway.</summary>
    /// <exception cref="OperationCanceledException">The attempt has to stop.</exception>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        await RenewAsync(cancellationToken).ConfigureAwait(false);
        _stop.Token.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        Task stopping;
        lock (_gate)
            (stopping, _isOver) = (_stopping, true);
        await stopping.ConfigureAwait(false);
        _stop.Dispose();
        _leave.Dispose();
    }

    private async Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            var state = await delivery.RenewAsync(cancellationToken).ConfigureAwait(false);
            line.Answered();
            _isLost |= state == LeaseState.Lost;
            _isCancelRequested |= state == LeaseState.CancelRequested;
            if (state == LeaseState.Lost)
                Cancel(_leave);
            if (state != LeaseState.Held)
                Cancel(_stop);
            return true;
        }
        catch (QueueException failure)
        {
            line.Failed(failure);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    /// <summary>Not on this thread: what hangs on the token may take its time, and renewing must not.</summary>
    private void Cancel(CancellationTokenSource source)
    {
        lock (_gate)
        {
            if (!_isOver && !source.IsCancellationRequested)
                _stopping = Task.WhenAll(_stopping, source.CancelAsync());
        }
    }
}
