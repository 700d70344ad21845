using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Obeys the orders that come over the queue.</summary>
internal sealed class SignalLoop(Seat seat, NodeParts node, Action drain, Action abandon)
{
    public async Task ObeyAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; !cancellationToken.IsCancellationRequested; tries++)
        {
            try
            {
                await foreach (var signal in seat.Session.ReadSignalsAsync(cancellationToken).ConfigureAwait(false))
                {
                    tries = 1;
                    Obey(signal);
                }
            }
            catch (QueueException failure) when (QueueLine.IsPassing(failure) || failure.Failure == QueueFailure.SessionLost)
            {
                node.Line.Failed(failure);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                // The node has ended, or the session is being taken anew.
            }

            await Task.Delay(RetryBackoff.After(tries, Random.Shared.NextDouble()), node.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Obey(NodeSignal signal)
    {
        switch (signal)
        {
            case CancelSignal cancel:
                // One that comes before its task is known here is told again when the lease is renewed before the start.
                node.Runs.Cancel(cancel.TaskId);
                break;
            case StopSignal { How: NodeStop.Drain }:
                drain();
                break;
            case StopSignal { How: NodeStop.Abandon }:
                abandon();
                break;
        }
    }
}
