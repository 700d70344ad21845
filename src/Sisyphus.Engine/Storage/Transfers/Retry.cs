using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Transfers;

/// <summary>Repeats what failed on the way to a store, with exponential pauses of random length (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).</summary>
internal sealed class Retry(TransferOptions options, TimeProvider time)
{
    public static bool IsWorthwhile(Exception exception) =>
        exception is TaskFailureException { Reason: FailureReason.TransferFailed } or IOException or HttpRequestException or TimeoutException;

    public Task PauseAsync(int failures, CancellationToken cancellationToken)
    {
        var full = Math.Min(options.MaxDelay.TotalMilliseconds, options.BaseDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 30)));
        return Task.Delay(TimeSpan.FromMilliseconds(full * (0.5 + (Random.Shared.NextDouble() / 2))), time, cancellationToken);
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
                await PauseAsync(failures, cancellationToken).ConfigureAwait(false);
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
