using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Asks a queue that does not answer again and again, ever more rarely, and says that it has to.</summary>
internal sealed class QueueLine(Standing standing, TimeProvider time)
{
    /// <summary>Whether waiting may help.</summary>
    public static bool IsPassing(QueueException failure) => failure.Failure is QueueFailure.Unavailable or QueueFailure.Full;

    /// <exception cref="QueueException">Waiting would not help.</exception>
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var answer = await call(cancellationToken).ConfigureAwait(false);
                standing.SetQueueTrouble(null);
                return answer;
            }
            catch (QueueException failure) when (IsPassing(failure))
            {
                standing.SetQueueTrouble(failure.Message);
            }

            await Task.Delay(RetryBackoff.After(tries, Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
