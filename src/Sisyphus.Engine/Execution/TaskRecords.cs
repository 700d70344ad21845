using System.Runtime.CompilerServices;
using System.Text.Json;

using Sisyphus.Engine.Execution.Publishing;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Reads back what attempts left in a bucket: no queue is needed, and no node.</summary>
public static class TaskRecords
{
    private const int MaxReads = 10;
    private const long MaxBytes = 256 * 1024 * 1024;

    /// <summary>Of each task the record of the attempt whose outputs are the task's or, where there is none, those of all that failed; in the order of the tasks' ids.</summary>
    /// <param name="bucket">A bucket that holds the first output of the tasks.</param>
    /// <param name="taskId">Null for all tasks.</param>
    /// <exception cref="TaskFailureException">The bucket can't be listed.</exception>
    public static async IAsyncEnumerable<TaskRecordReading> ReadAsync(ObjectStores stores, RemotePath bucket, string? taskId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stores);
        ArgumentNullException.ThrowIfNull(bucket);
        var location = stores.Resolve(bucket.WithKey(""));
        List<ObjectInfo> records = [];
        string? task = null;
        await foreach (var info in location.Store.ListAsync(location.Bucket, ReservedKeys.Prefix + (taskId is null ? "" : taskId + "/"), cancellationToken).ConfigureAwait(false))
        {
            if (!PublishingKeys.IsRecord(info.Key, out var owner))
                continue;
            if (owner != task)
            {
                foreach (var record in Standing(records))
                    yield return await ReadAsync(stores, location, bucket, record, task!, cancellationToken).ConfigureAwait(false);
                records.Clear();
                task = owner;
            }
            records.Add(info);
        }
        foreach (var record in Standing(records))
            yield return await ReadAsync(stores, location, bucket, record, task!, cancellationToken).ConfigureAwait(false);
    }

    private static IEnumerable<ObjectInfo> Standing(List<ObjectInfo> records) =>
        records.FirstOrDefault(record => PublishingKeys.IsDecision(record.Key)) is { } decision ? [decision] : records.OrderBy(record => record.Modified);

    private static async Task<TaskRecordReading> ReadAsync(ObjectStores stores, ObjectLocation location, RemotePath bucket, ObjectInfo listed, string taskId, CancellationToken cancellationToken)
    {
        var path = bucket.WithKey(listed.Key).ToString();
        try
        {
            var json = await stores.Scheduler.Retry.RunAsync(() => ReadAsync(location.Store, listed, path, cancellationToken), cancellationToken).ConfigureAwait(false);
            var record = PublishingKeys.IsDecision(listed.Key) ? DecisionReader.Read(json, taskId, path).Record : JsonSerializer.Deserialize(json, PublishingJson.Default.JsonElement);
            return AttemptRecord.FromJson(record) is { } attempt && attempt.Task == taskId
                ? new TaskRecordReading(path, attempt with { Record = path }, null)
                : throw new JsonException("it is no record of the task that this version understands.");
        }
        catch (TaskFailureException e)
        {
            return new TaskRecordReading(path, null, e);
        }
        catch (JsonException e)
        {
            return new TaskRecordReading(path, null, new TaskFailureException(FailureReason.Internal, $"{path} can't be read: {e.Message}", e));
        }
    }

    private static async Task<byte[]> ReadAsync(IObjectStore store, ObjectInfo listed, string path, CancellationToken cancellationToken)
    {
        var info = listed;
        for (var reads = 1; ; reads++)
        {
            if (info.Size > MaxBytes)
                throw new TaskFailureException(FailureReason.Internal, $"{path} can't be read: it has {info.Size} bytes.");
            try
            {
                return await store.ReadAllAsync(info, cancellationToken).ConfigureAwait(false);
            }
            catch (TaskFailureException e) when (reads < MaxReads && e.Reason is (FailureReason.InputCorrupt or FailureReason.InputMissing))
            {
                // Another one since it was listed: a decision is marked done, an attempt's record written again.
                if (await store.StatAsync(listed.Bucket, listed.Key, cancellationToken).ConfigureAwait(false) is not { } again)
                    throw;
                info = again;
            }
        }
    }
}

/// <param name="Path">Remote path of the object.</param>
/// <param name="Record">Null when it can't be read, and then <paramref name="Error"/> says why.</param>
public sealed record TaskRecordReading(string Path, AttemptRecord? Record, TaskFailureException? Error);
