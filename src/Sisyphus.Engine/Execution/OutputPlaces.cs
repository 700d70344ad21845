using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Finds out before anything is computed what is certain to be in the way of publishing it: hours of work are not thrown away for a bucket that nobody has made.</summary>
internal sealed class OutputPlaces(StoreAccess stores)
{
    /// <exception cref="TaskFailureException"><see cref="FailureReason.InvalidDocument"/> for a name that the store can't hold, <see cref="FailureReason.InputMissing"/> for a bucket that is not there.</exception>
    public async Task CheckAsync(string taskId, TaskDocument document, CancellationToken cancellationToken)
    {
        foreach (var bucket in document.Outputs.Select(output => (Output: output, Location: stores.Resolve(output.Remote))).GroupBy(one => (one.Location.Store, one.Location.Bucket)))
        {
            var (store, name) = bucket.Key;
            try
            {
                // Of a tree only the program knows the keys, and an optional one it may not write.
                await store.CheckWritableAsync(name, [.. bucket.Where(one => !one.Output.Remote.IsPrefix && !one.Output.Optional).Select(one => one.Location.Key)], cancellationToken).ConfigureAwait(false);
                if (!store.MakesBuckets)
                    await RequireBucketAsync(store, name, taskId, cancellationToken).ConfigureAwait(false);
            }
            catch (TaskFailureException failure) when (failure.Reason is FailureReason.InvalidDocument or FailureReason.InputMissing)
            {
                throw new TaskFailureException(failure.Reason, $"The output {bucket.First().Output.Remote} can't be published. {failure.Message}", failure);
            }
            catch (TaskFailureException)
            {
                // It may pass, or be put right before there is something to publish; then publishing has the patience.
            }
        }
    }

    // By a list, as short a one as there is: it fails where there is no bucket, and who may not list is told so and not that there is none.
    private static async Task RequireBucketAsync(IObjectStore store, string bucket, string taskId, CancellationToken cancellationToken)
    {
        await foreach (var _ in store.ListAsync(bucket, PublishingKeys.Decision(taskId), cancellationToken).ConfigureAwait(false))
            return;
    }
}
