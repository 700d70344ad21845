using System.Runtime.ExceptionServices;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Repeats what failed on the way to a store, with exponential pauses of random length (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).</summary>
internal sealed class Retry(TransferOptions options, TimeProvider time)
{
    /// <summary>Tries in all.</summary>
    public int Attempts => options.Attempts;

    public static bool IsWorthwhile(Exception exception) =>
        exception is TaskFailureException { Reason: FailureReason.TransferFailed, IsRetryable: true } or IOException or HttpRequestException or TimeoutException;

    /// <param name="failures">In a row, from 1.</param>
    /// <param name="error">May say how long the service wants to be left alone. Where that is longer than <see cref="TransferOptions.MaxDelay"/>, it is thrown again at once: coming back sooner would make it worse, and whoever has the patience is told.</param>
    public Task PauseAsync(int failures, Exception error, CancellationToken cancellationToken)
    {
        var asked = (error as TaskFailureException)?.RetryAfter ?? TimeSpan.Zero;
        if (asked > options.MaxDelay)
            ExceptionDispatchInfo.Throw(error);
        var full = Math.Min(options.MaxDelay.TotalMilliseconds, options.BaseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 30)));
        // Jitter on top of what was asked for: all who were sent away at once must not come back at once.
        return Task.Delay(asked + TimeSpan.FromMilliseconds(full * (0.5 + (Random.Shared.NextDouble() / 2))), time, cancellationToken);
    }

    /// <param name="work">Idempotent: a try whose answer got lost may have done it.</param>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (Exception e) when (failures < options.Attempts && IsWorthwhile(e))
            {
                await PauseAsync(failures, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Func<Task> work, CancellationToken cancellationToken) => RunAsync(
        async () =>
        {
            await work().ConfigureAwait(false);
            return true;
        },
        cancellationToken);
}
