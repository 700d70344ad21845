using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Deletes staged objects from one bucket, a few at a time. Never throws: no publication depends on it, and the sweep comes here again.</summary>
internal sealed class StagingRemoval(TransferScheduler scheduler)
{
    /// <summary>Many objects may take longer; a store that does nothing for so long is left to the sweep.</summary>
    private static readonly TimeSpan s_standstill = TimeSpan.FromSeconds(30);

    /// <summary>What an attempt staged below the prefix; with the pointer to the decision where nothing else is staged.</summary>
    public Task AbandonAsync(ObjectLocation bucket, string taskId, string attemptId, string prefix) => RunAsync(async limit =>
    {
        // A bucket that was never written may not exist.
        if (!await bucket.Store.BucketExistsAsync(bucket.Bucket, limit.Token).ConfigureAwait(false))
            return;
        var (keys, home, others) = (new List<string>(), (string?)null, false);
        await foreach (var info in bucket.Store.ListAsync(bucket.Bucket, PublishingKeys.AttemptPrefix(taskId, attemptId), limit.Token).ConfigureAwait(false))
        {
            limit.CancelAfter(s_standstill);
            if (info.Key.StartsWith(prefix, StringComparison.Ordinal))
                keys.Add(info.Key);
            else if (PublishingKeys.OwnerOfHome(info.Key) is not null)
                home = info.Key;
            else
                others |= PublishingKeys.OwnerOfStaged(info.Key) is not null;
        }
        await DeleteAsync(bucket.Store, bucket.Bucket, keys, others ? null : home, limit).ConfigureAwait(false);
    });

    /// <param name="home">The pointer to the decision, or null where there is none.</param>
    public Task CleanAsync(IObjectStore store, string bucket, IReadOnlyList<string> keys, string? home) => RunAsync(limit => DeleteAsync(store, bucket, keys, home, limit));

    // The pointer last: as long as something is staged the sweep has to find the decision.
    private async Task DeleteAsync(IObjectStore store, string bucket, IReadOnlyList<string> keys, string? home, CancellationTokenSource limit)
    {
        await Parallel.ForEachAsync(keys, scheduler.Parallelism(limit.Token), async (key, token) =>
        {
            await scheduler.Retry.RunAsync(() => store.DeleteAsync(bucket, key, token), token).ConfigureAwait(false);
            limit.CancelAfter(s_standstill);
        }).ConfigureAwait(false);
        if (home is not null)
            await scheduler.Retry.RunAsync(() => store.DeleteAsync(bucket, home, limit.Token), limit.Token).ConfigureAwait(false);
    }

    // With a token of its own: it must also happen when the task was canceled.
    private async Task RunAsync(Func<CancellationTokenSource, Task> remove)
    {
        using var limit = new CancellationTokenSource(s_standstill, scheduler.Time);
        try
        {
            await remove(limit).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TaskFailureException or OperationCanceledException || Retry.IsWorthwhile(e))
        {
            // What stays is swept.
        }
    }
}
