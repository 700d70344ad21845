using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Removes from a bucket the staged objects of attempts that died before the decision or lost it.</summary>
internal sealed class StagingSweep(Func<RemotePath, ObjectLocation> resolve, DecisionStore decisions, Retry retry, TimeProvider time)
{
    /// <param name="finish">Finishes a decision that is not done.</param>
    public async Task<int> RunAsync(RemotePath bucket, TimeSpan age, Func<RemotePath, Decision, CancellationToken, Task> finish, CancellationToken cancellationToken)
    {
        var location = resolve(bucket);
        if (!await location.Store.BucketExistsAsync(location.Bucket, cancellationToken).ConfigureAwait(false))
            return 0;
        var staged = new Dictionary<(string TaskId, string AttemptId), List<ObjectInfo>>();
        await foreach (var info in location.Store.ListAsync(location.Bucket, ReservedKeys.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (PublishingKeys.OwnerOfStaged(info.Key) is not { } owner)
                continue;
            if (!staged.TryGetValue(owner, out var objects))
                staged.Add(owner, objects = []);
            objects.Add(info);
        }
        var removed = 0;
        foreach (var (owner, objects) in staged)
        {
            if (objects.Max(info => info.Modified) > time.GetUtcNow() - age)
                continue;
            var home = await HomeAsync(location, bucket, owner.TaskId, cancellationToken).ConfigureAwait(false);
            var decision = await decisions.FindAsync(resolve(home), owner.TaskId, cancellationToken).ConfigureAwait(false);
            if (decision is { Done: false } && decision.Attempt == owner.AttemptId)
            {
                await finish(home, decision, cancellationToken).ConfigureAwait(false);
                continue;
            }
            foreach (var info in objects)
                await location.Store.DeleteAsync(location.Bucket, info.Key, cancellationToken).ConfigureAwait(false);
            removed += objects.Count;
        }
        return removed;
    }

    private async Task<RemotePath> HomeAsync(ObjectLocation location, RemotePath bucket, string taskId, CancellationToken cancellationToken)
    {
        if (await location.Store.StatAsync(location.Bucket, PublishingKeys.Home(taskId), cancellationToken).ConfigureAwait(false) is not { } info)
            return bucket;
        var stream = await retry.RunAsync(() => location.Store.OpenReadAsync(info, 0, cancellationToken), cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var pointer = await JsonSerializer.DeserializeAsync(stream, PublishingJson.Default.HomePointer, cancellationToken).ConfigureAwait(false);
            return pointer?.Remote() ?? bucket;
        }
    }
}
