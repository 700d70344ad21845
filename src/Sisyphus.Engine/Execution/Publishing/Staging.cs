using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The first step: an attempt's outputs as objects that nobody reads yet, each in its final bucket.</summary>
internal sealed class Staging(Func<RemotePath, ObjectLocation> resolve, TransferOptions options, TimeProvider time)
{
    private static readonly TimeSpan CleaningTime = TimeSpan.FromSeconds(30);

    private readonly Upload _upload = new(options, time);
    private readonly Retry _retry = new(options, time);

    public ParallelOptions Parallelism(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellationToken };

    /// <summary>Stages all files, a few at a time, each verified.</summary>
    public async Task<IReadOnlyList<DecidedOutput>> StageAsync(string taskId, string attemptId, RemotePath home, IReadOnlyList<OutputFile> files, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new TransferMeter(progress, time);
        meter.Expect(files.Count, files.Sum(file => new FileInfo(file.LocalPath) is { Exists: true } info ? info.Length : 0));
        foreach (var bucket in BucketsBeside(home, files))
            await PointHomeAsync(bucket, taskId, home, cancellationToken).ConfigureAwait(false);
        var staged = new DecidedOutput[files.Count];
        await Parallel.ForEachAsync(files.Index(), Parallelism(cancellationToken), async (file, token) =>
            staged[file.Index] = await StageAsync(file.Item, PublishingKeys.Staged(taskId, attemptId, file.Index), meter, token).ConfigureAwait(false)).ConfigureAwait(false);
        meter.Flush();
        return staged;
    }

    public async Task<DecidedOutput> StageAsync(OutputFile file, string key, TransferMeter meter, CancellationToken cancellationToken)
    {
        var (_, sums) = await _upload.FromFileAsync(file.LocalPath, resolve(file.Remote) with { Key = key }, meter, cancellationToken).ConfigureAwait(false);
        return new DecidedOutput
        {
            Path = file.Remote.ToString(),
            Scheme = file.Remote.Scheme,
            Bucket = file.Remote.Bucket,
            Key = file.Remote.Key,
            Staged = key,
            Size = sums.Size,
            Crc32C = Crc32C.ToText(sums.Crc32C),
            Sha256 = sums.Sha256,
        };
    }

    /// <summary>Deletes what an attempt staged that will not be published. Never throws: what stays is swept.</summary>
    /// <param name="condition">Only if it says so.</param>
    public Task AbandonAsync(string taskId, string attemptId, IReadOnlyList<OutputFile> files, Func<CancellationToken, Task<bool>>? condition = null) =>
        CleanAsync(async token =>
        {
            if (condition is not null && !await condition(token).ConfigureAwait(false))
                return;
            foreach (var bucket in Buckets(files.Select(file => file.Remote)))
            {
                // A bucket that was never written may not exist.
                if (!await bucket.Store.BucketExistsAsync(bucket.Bucket, token).ConfigureAwait(false))
                    continue;
                await foreach (var staged in bucket.Store.ListAsync(bucket.Bucket, PublishingKeys.StagedPrefix(taskId, attemptId), token).ConfigureAwait(false))
                    await _retry.RunAsync(() => bucket.Store.DeleteAsync(bucket.Bucket, staged.Key, token), token).ConfigureAwait(false);
            }
        });

    /// <summary>Deletes what a decision that is done named. Never throws: what stays is swept.</summary>
    public Task CleanAsync(ObjectLocation home, Decision decision) =>
        CleanAsync(async token =>
        {
            await Parallel.ForEachAsync(decision.Outputs, Parallelism(token), async (output, inner) =>
            {
                var location = resolve(output.Remote());
                await _retry.RunAsync(() => location.Store.DeleteAsync(location.Bucket, output.Staged, inner), inner).ConfigureAwait(false);
            }).ConfigureAwait(false);
            foreach (var bucket in Buckets(decision.Outputs.Select(output => output.Remote())).Where(bucket => !IsSame(bucket, home)))
                await bucket.Store.DeleteAsync(bucket.Bucket, PublishingKeys.Home(decision.Task), token).ConfigureAwait(false);
        });

    // With a token of its own: it must also happen when the task was canceled.
    private async Task CleanAsync(Func<CancellationToken, Task> clean)
    {
        using var limit = new CancellationTokenSource(CleaningTime, time);
        try
        {
            await clean(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TaskFailureException or OperationCanceledException || Retry.IsWorthwhile(e))
        {
            // The publication does not depend on it, and the sweep comes here again.
        }
    }

    // The sweep of a bucket has to find the decision from there.
    private async Task PointHomeAsync(ObjectLocation bucket, string taskId, RemotePath home, CancellationToken cancellationToken)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(new HomePointer(home.Scheme, home.Bucket, home.Key), PublishingJson.Default.HomePointer);
        await _retry.RunAsync(() => bucket.Store.CreateIfAbsentAsync(bucket.Bucket, PublishingKeys.Home(taskId), content, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<ObjectLocation> BucketsBeside(RemotePath home, IReadOnlyList<OutputFile> files)
    {
        var location = resolve(home);
        return Buckets(files.Select(file => file.Remote)).Where(bucket => !IsSame(bucket, location));
    }

    private IEnumerable<ObjectLocation> Buckets(IEnumerable<RemotePath> remotes) =>
        remotes.Select(resolve).DistinctBy(location => (location.Store.Name, location.Bucket));

    private static bool IsSame(ObjectLocation one, ObjectLocation other) => (one.Store.Name, one.Bucket) == (other.Store.Name, other.Bucket);
}
