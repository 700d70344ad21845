using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The first step: an attempt's outputs as objects that nobody reads yet, each in its final bucket.</summary>
internal sealed class Staging(Func<RemotePath, ObjectLocation> resolve, TransferScheduler scheduler)
{
    private readonly Upload _upload = new(scheduler);
    private readonly StagingRemoval _removal = new(scheduler);

    /// <summary>Stages all files, a few at a time, each verified.</summary>
    /// <param name="prefix">Where in its bucket each file is staged.</param>
    public async Task<IReadOnlyList<DecidedOutput>> StageAsync(string taskId, string attemptId, string prefix, RemotePath home, IReadOnlyList<OutputFile> files, PublicationState state, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new TransferMeter(progress, scheduler.Time);
        meter.Expect(files.Count, files.Sum(file => new FileInfo(file.LocalPath) is { Exists: true } info ? info.Length : 0));
        var decided = resolve(home);
        foreach (var bucket in Buckets(files.Select(file => file.Remote)).Where(bucket => !IsSame(bucket, decided)))
            await PointHomeAsync(bucket, taskId, attemptId, home, cancellationToken).ConfigureAwait(false);
        var staged = new DecidedOutput[files.Count];
        await Parallel.ForEachAsync(files.Index(), scheduler.Parallelism(cancellationToken), async (file, token) =>
        {
            if (state.FindStaged(file.Index) is { } before)
                meter.Skipped(before.Size);
            staged[file.Index] = state.FindStaged(file.Index)
                ?? state.AddStaged(file.Index, await StageAsync(file.Item, PublishingKeys.Staged(prefix, file.Index), meter, token).ConfigureAwait(false));
        }).ConfigureAwait(false);
        meter.Flush();
        return staged;
    }

    public async Task<DecidedOutput> StageAsync(OutputFile file, string key, TransferMeter meter, CancellationToken cancellationToken)
    {
        var (_, sums) = await _upload.FromFileAsync(file.LocalPath, resolve(file.Remote) with { Key = key }, meter, cancellationToken).ConfigureAwait(false);
        return DecidedOutput.Of(file.Remote, sums, key);
    }

    /// <summary>Deletes what an attempt staged below the prefix that will not be published. Never throws: what stays is swept.</summary>
    public Task AbandonAsync(string taskId, string attemptId, string prefix, IEnumerable<RemotePath> remotes) =>
        Task.WhenAll(Buckets(remotes).Select(bucket => _removal.AbandonAsync(bucket, taskId, attemptId, prefix)));

    /// <summary>Deletes what a decision named that is done, or replaced. Never throws: what stays is swept.</summary>
    public Task CleanAsync(ObjectLocation home, Decision decision) =>
        Task.WhenAll(decision.Outputs.Select(output => (output.Staged, Location: TryResolve(output.Remote()))).Where(output => output is { Staged: not null, Location: not null })
            .GroupBy(output => (output.Location!.Store, output.Location.Bucket), output => output.Staged!)
            .Select(group => _removal.CleanAsync(group.Key.Store, group.Key.Bucket, [.. group], IsSame(new ObjectLocation(group.Key.Store, group.Key.Bucket, ""), home) ? null : PublishingKeys.Home(decision.Task, decision.Attempt))));

    // The sweep of a bucket has to find the decision from there.
    private async Task PointHomeAsync(ObjectLocation bucket, string taskId, string attemptId, RemotePath home, CancellationToken cancellationToken)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(new HomePointer(home.Scheme, home.Bucket, home.Key), PublishingJson.Default.HomePointer);
        await scheduler.Retry.RunAsync(() => bucket.Store.CreateIfAbsentAsync(bucket.Bucket, PublishingKeys.Home(taskId, attemptId), content, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private IEnumerable<ObjectLocation> Buckets(IEnumerable<RemotePath> remotes) =>
        remotes.Select(TryResolve).OfType<ObjectLocation>().DistinctBy(location => (location.Store.Name, location.Bucket));

    // Where nothing can be, nothing was staged. What is staged is resolved on its own.
    private ObjectLocation? TryResolve(RemotePath remote)
    {
        try
        {
            return resolve(remote);
        }
        catch (TaskFailureException)
        {
            return null;
        }
    }

    private static bool IsSame(ObjectLocation one, ObjectLocation other) => (one.Store.Name, one.Bucket) == (other.Store.Name, other.Bucket);
}
