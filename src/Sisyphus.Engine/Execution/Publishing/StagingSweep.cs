using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Removes from a bucket the staged objects of attempts that died before the decision or lost it.</summary>
internal sealed class StagingSweep(Func<RemotePath, ObjectLocation> resolve, DecisionStore decisions, Retry retry)
{
    private const long MaxPointerBytes = 64 * 1024;

    /// <param name="finish">Finishes the decision of a task where that can be done.</param>
    /// <param name="warn">Told of each attempt whose objects are left because something about them can't be known.</param>
    public async Task<int> RunAsync(RemotePath bucket, TimeSpan age, Func<string, RemotePath, CancellationToken, Task> finish, Action<string> warn, CancellationToken cancellationToken)
    {
        var location = resolve(bucket);
        if (!await location.Store.BucketExistsAsync(location.Bucket, cancellationToken).ConfigureAwait(false))
            return 0;
        var attempts = new Dictionary<(string TaskId, string AttemptId), List<ObjectInfo>>();
        // Ages by the store's own clock, as far as it shows: this machine's may be wrong by days.
        var now = DateTimeOffset.MinValue;
        await foreach (var info in location.Store.ListAsync(location.Bucket, ReservedKeys.Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (info.Modified > now)
                now = info.Modified;
            if ((PublishingKeys.OwnerOfStaged(info.Key) ?? PublishingKeys.OwnerOfHome(info.Key)) is not { } owner)
                continue;
            if (!attempts.TryGetValue(owner, out var objects))
                attempts.Add(owner, objects = []);
            objects.Add(info);
        }
        var removed = 0;
        foreach (var (owner, objects) in attempts.Where(attempt => now - attempt.Value.Max(info => info.Modified) >= age))
        {
            try
            {
                removed += await SweepAsync(location, bucket, owner, objects, finish, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is TaskFailureException || Retry.IsWorthwhile(e))
            {
                warn($"What the attempt {owner.AttemptId} of the task {owner.TaskId} has staged in {location.Bucket} of {location.Store.Name} can't be swept: {e.Message}");
            }
        }
        return removed;
    }

    private async Task<int> SweepAsync(ObjectLocation location, RemotePath bucket, (string TaskId, string AttemptId) owner, List<ObjectInfo> objects, Func<string, RemotePath, CancellationToken, Task> finish, CancellationToken cancellationToken)
    {
        var pointer = objects.Find(info => PublishingKeys.OwnerOfHome(info.Key) is not null);
        var home = pointer is null ? bucket : await ReadAsync(location, pointer, cancellationToken).ConfigureAwait(false);
        var place = resolve(home);
        // Nothing found there would be no proof: this session may call another place by that name.
        if (pointer is not null && !await retry.RunAsync(() => place.Store.BucketExistsAsync(place.Bucket, cancellationToken), cancellationToken).ConfigureAwait(false))
            throw new TaskFailureException(FailureReason.InputMissing, $"{place.Bucket} in {place.Store.Name}, where its decision would be, does not exist.");
        var standing = await decisions.FindAsync(place, owner.TaskId, cancellationToken).ConfigureAwait(false);
        if (standing is { Decision.Done: false } && standing.Decision.Attempt == owner.AttemptId)
        {
            await finish(owner.TaskId, home, cancellationToken).ConfigureAwait(false);
            return 0;
        }
        foreach (var info in objects.Where(info => info != pointer))
            await retry.RunAsync(() => location.Store.DeleteAsync(location.Bucket, info.Key, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (pointer is not null)
            await retry.RunAsync(() => location.Store.DeleteAsync(location.Bucket, pointer.Key, cancellationToken), cancellationToken).ConfigureAwait(false);
        return objects.Count;
    }

    private async Task<RemotePath> ReadAsync(ObjectLocation location, ObjectInfo pointer, CancellationToken cancellationToken)
    {
        var json = pointer.Size <= MaxPointerBytes ? await retry.RunAsync(() => location.Store.ReadAllAsync(pointer, cancellationToken), cancellationToken).ConfigureAwait(false) : [];
        try
        {
            if (JsonSerializer.Deserialize(json, PublishingJson.Default.HomePointer) is { Bucket: not null, Key: not null } home)
                return home.Remote();
        }
        catch (JsonException)
        {
            // Said below.
        }
        throw new TaskFailureException(FailureReason.Internal, $"{location.Bucket}:{pointer.Key} does not say where its decision is.");
    }
}
