using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Asks the queue, which the node has joined before, again and again when it does not answer or does not let the node in, ever more rarely, and says that it has to.</summary>
internal sealed class QueueLine(Standing standing, TimeProvider time)
{
    /// <summary>How long a node in which nothing runs bears it to be refused. What is over sooner is a password in the middle of its change, a broker that can't ask who may do what, an administrator's slip.</summary>
    public static readonly TimeSpan RefusalLimit = TimeSpan.FromMinutes(10);

    /// <summary>Tries after which the pause grows no longer, so that a queue is found within ten seconds of its return however long it was away.</summary>
    private const int LastLonger = 4;

    private int _troubled;
    private int _settling;
    private QueueFailure? _told;

    /// <summary>Whether waiting may help one who was let in before.</summary>
    public static bool IsPassing(QueueException failure) => failure.Failure is QueueFailure.Unavailable or QueueFailure.Full || IsRefusal(failure);

    /// <exception cref="QueueException">Waiting would not help, or has not helped for <see cref="RefusalLimit"/>.</exception>
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var isTroubled = false;
        long? refused = null;
        try
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    var answer = await call(cancellationToken).ConfigureAwait(false);
                    if (isTroubled)
                        Interlocked.Decrement(ref _troubled);
                    isTroubled = false;
                    Answered();
                    return answer;
                }
                catch (QueueException failure) when (IsPassing(failure))
                {
                    if (IsRefusal(failure) && !Bears(ref refused))
                        throw;
                    if (!isTroubled)
                        Interlocked.Increment(ref _troubled);
                    isTroubled = true;
                    Failed(failure);
                }

                await Task.Delay(RetryBackoff.After(Math.Min(tries, LastLonger), Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (isTroubled)
                Interlocked.Decrement(ref _troubled);
        }
    }

    /// <summary>The same, for what became of a task: the attempt at it is over.</summary>
    public async Task<T> SettleAsync<T>(Func<CancellationToken, Task<T>> say, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _settling);
        try
        {
            return await CallAsync(say, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _settling);
        }
    }

    /// <summary>Somebody who does not wait in line was answered: all is well if nobody does.</summary>
    public void Answered()
    {
        if (Volatile.Read(ref _troubled) != 0)
            return;
        _told = null;
        standing.SetQueueTrouble(null);
    }

    public void Failed(QueueException failure)
    {
        // Each call fails in words of its own; for a person the first of a kind is enough.
        if (_told == failure.Failure)
            return;
        _told = failure.Failure;
        standing.SetQueueTrouble(IsRefusal(failure)
            ? $"{failure.Message} What runs goes on, and the node tries again; it ends when that has not helped for {RefusalLimit.TotalMinutes:0} minutes in which nothing runs."
            : failure.Message);
    }

    private static bool IsRefusal(QueueException failure) => failure.Failure is QueueFailure.Denied or QueueFailure.NotAQueue;

    private bool Bears(ref long? refused)
    {
        // What runs may have run for days, and its results be welcome again when it is done.
        if (refused is null || standing.Running > Volatile.Read(ref _settling))
            refused = time.GetTimestamp();
        return time.GetElapsedTime(refused.Value) < RefusalLimit;
    }
}
