using System.Text.Json;
using System.Text.RegularExpressions;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Publishes the outputs of exactly one attempt of a task, all of them: decided once, finished by anyone (docs/stores.md, "Publishing").</summary>
/// <remarks>Knows stores only by <see cref="IObjectStore"/>. <c>home</c> is the remote path of the document's first output, written or not: its bucket holds the decision.</remarks>
internal sealed partial class OutputPublisher
{
    /// <summary>Since the last staged object; longer than any upload of one object should take.</summary>
    public static readonly TimeSpan DefaultSweepAge = TimeSpan.FromDays(1);

    private readonly Func<RemotePath, ObjectLocation> _resolve;
    private readonly TransferOptions _options;
    private readonly TimeProvider _time;
    private readonly Retry _retry;
    private readonly DecisionStore _decisions;
    private readonly Staging _staging;
    private readonly Promotion _promotion;

    /// <param name="resolve">Where a remote path really is; throws where the node's policy forbids it.</param>
    public OutputPublisher(Func<RemotePath, ObjectLocation> resolve, TransferOptions? transfers = null, TimeProvider? time = null)
    {
        _options = transfers ?? new TransferOptions();
        _options.Validate();
        _resolve = resolve;
        _time = time ?? TimeProvider.System;
        _retry = new Retry(_options, _time);
        _decisions = new DecisionStore(_retry);
        _staging = new Staging(resolve, _options, _time);
        _promotion = new Promotion(resolve, _decisions, _staging, _options, _retry);
    }

    /// <summary>Where the decision of a task is kept, or null for a task that publishes nothing.</summary>
    public static RemotePath? HomeOf(TaskDocument task) => task.Outputs.Count == 0 ? null : task.Outputs[0].Remote;

    /// <summary>The publication of a task that is decided, finished first where that is not done; null when nothing is decided.</summary>
    public async Task<Publication?> FindAsync(string taskId, RemotePath home, CancellationToken cancellationToken)
    {
        RequireId(taskId, nameof(taskId));
        var location = _resolve(home);
        return await _decisions.FindAsync(location, taskId, cancellationToken).ConfigureAwait(false) is { } decision
            ? await FinishAsync(home, location, decision, null, cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>Publishes an attempt's outputs, unless another attempt's are decided already.</summary>
    /// <param name="record">The attempt's record, made of the outputs as they were staged.</param>
    /// <returns>What stands, finished: its <see cref="Publication.AttemptId"/> says whose it is.</returns>
    /// <exception cref="TaskFailureException">Before the decision nothing is left behind. After it the publication stands, and <see cref="FindAsync"/> finishes it.</exception>
    public async Task<Publication> PublishAsync(
        string taskId,
        string attemptId,
        RemotePath home,
        IReadOnlyList<OutputFile> outputs,
        Func<IReadOnlyList<PublishedObject>, JsonElement> record,
        IProgress<TransferProgress>? progress,
        CancellationToken cancellationToken)
    {
        RequireIds(taskId, attemptId);
        var location = _resolve(home);
        await CheckAsync(outputs, cancellationToken).ConfigureAwait(false);
        Decision decision;
        try
        {
            var staged = await _staging.StageAsync(taskId, attemptId, home, outputs, progress, cancellationToken).ConfigureAwait(false);
            decision = new Decision
            {
                Version = Decision.CurrentVersion,
                Task = taskId,
                Attempt = attemptId,
                Outputs = staged,
                Record = record([.. staged.Select(ToPublished)]),
            };
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch
        {
            await _staging.AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
            throw;
        }

        // From here on an error says nothing of whether we won, so our staging must stay. A cancellation would say as little, so it has to wait.
        var standing = await _decisions.CreateAsync(location, decision, CancellationToken.None).ConfigureAwait(false);
        if (standing.Attempt == attemptId)
            return await FinishOursAsync(home, location, standing, outputs, cancellationToken).ConfigureAwait(false);
        await _staging.AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
        return await FinishAsync(home, location, standing, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Publishes what a failed attempt may: its logs and its record. Nothing when the task is decided.</summary>
    public async Task<FailurePublication> PublishFailureAsync(
        string taskId,
        string attemptId,
        RemotePath home,
        IReadOnlyList<OutputFile> logs,
        Func<IReadOnlyList<PublishedObject>, JsonElement> record,
        CancellationToken cancellationToken)
    {
        RequireIds(taskId, attemptId);
        var location = _resolve(home);
        await CheckAsync(logs, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<DecidedOutput> staged;
        try
        {
            staged = await _staging.StageAsync(taskId, attemptId, home, logs, null, cancellationToken).ConfigureAwait(false);
            // Looked at between the long part and the short one: a winner's log must not be replaced by ours.
            if (await FindAsync(taskId, home, cancellationToken).ConfigureAwait(false) is { } decided)
                return new FailurePublication(null, [], decided);
            foreach (var output in staged)
                await _promotion.PromoteAsync(output, null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await _staging.AbandonAsync(taskId, attemptId, logs).ConfigureAwait(false);
        }

        PublishedObject[] published = [.. staged.Select(ToPublished)];
        var key = PublishingKeys.Record(taskId, attemptId);
        var content = JsonSerializer.SerializeToUtf8Bytes(record(published), PublishingJson.Default.JsonElement);
        await _retry.RunAsync(
            async () =>
            {
                using var stream = new MemoryStream(content, writable: false);
                return await location.Store.PutAsync(location.Bucket, key, stream, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        // Who was decided while we wrote promotes after that, or is promoted again here.
        return new FailurePublication(InHome(home, location, key), published, await FindAsync(taskId, home, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Tidies up after an attempt whose process died: finishes the task's publication if one was decided, and deletes what the attempt staged in vain.</summary>
    /// <param name="outputs">Remote paths of the document's outputs, the home first.</param>
    public async Task RecoverAsync(string taskId, string attemptId, IReadOnlyList<RemotePath> outputs, CancellationToken cancellationToken)
    {
        var decided = await FindAsync(taskId, outputs[0], cancellationToken).ConfigureAwait(false);
        // What it staged and won with may be left too, if it died right before it had tidied up.
        if (decided?.AttemptId != attemptId || decided.IsDone)
            await _staging.AbandonAsync(taskId, attemptId, [.. outputs.Select(output => new OutputFile("", output))]).ConfigureAwait(false);
    }

    /// <summary>Removes from one bucket what attempts staged that never came to a decision, and finishes what was decided and left.</summary>
    /// <param name="age">Since the attempt staged its last object. An attempt that is that slow and wins after all stages again what it misses.</param>
    /// <returns>Objects removed.</returns>
    public Task<int> SweepAsync(RemotePath bucket, TimeSpan age, CancellationToken cancellationToken) =>
        new StagingSweep(_resolve, _decisions, _retry, _time).RunAsync(bucket, age, (home, decision, token) => FinishAsync(home, _resolve(home), decision, null, token), cancellationToken);

    private static PublishedObject ToPublished(DecidedOutput output) => new(output.Path, output.Size, output.Crc32C, output.Sha256);

    // For file:// the home's key begins with the folder that is the bucket; for others with nothing.
    private static RemotePath InHome(RemotePath home, ObjectLocation location, string key) => home.WithKey(home.Key[..^location.Key.Length] + key);

    private async Task<Publication> FinishAsync(RemotePath home, ObjectLocation location, Decision decision, IReadOnlyList<OutputFile>? local, CancellationToken cancellationToken)
    {
        var done = decision.Done ? decision : await _promotion.FinishAsync(location, decision, local, cancellationToken).ConfigureAwait(false);
        return new Publication(done.Task, done.Attempt, [.. done.Outputs.Select(ToPublished)], done.Record, InHome(home, location, PublishingKeys.Decision(done.Task)), done.Done);
    }

    private async Task<Publication> FinishOursAsync(RemotePath home, ObjectLocation location, Decision decision, IReadOnlyList<OutputFile> outputs, CancellationToken cancellationToken)
    {
        try
        {
            return await FinishAsync(home, location, decision, outputs, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Whoever finishes it tidies up. If it is done already, that was us, or was before we had staged again what was missing.
            await _staging.AbandonAsync(decision.Task, decision.Attempt, outputs, async token => await _decisions.FindAsync(location, decision.Task, token).ConfigureAwait(false) is { Done: true }).ConfigureAwait(false);
            throw;
        }
    }

    // What would make a decision that nobody can finish has to be found before it is made.
    private async Task CheckAsync(IReadOnlyList<OutputFile> outputs, CancellationToken cancellationToken)
    {
        foreach (var group in outputs.Select(output => (output.Remote, Location: Place(output.Remote))).GroupBy(output => (output.Location.Store, output.Location.Bucket)))
        {
            if (group.GroupBy(output => output.Location.Key).FirstOrDefault(same => same.Count() > 1) is { } twice)
                throw new TaskFailureException(FailureReason.InvalidDocument, $"Two outputs would be published as {twice.First().Remote}.");
            await _retry.RunAsync(() => group.Key.Store.CheckWritableAsync(group.Key.Bucket, [.. group.Select(output => output.Location.Key)], cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    private ObjectLocation Place(RemotePath remote)
    {
        var location = _resolve(remote);
        if (location.Key.Length == 0 || remote.IsPrefix || location.Key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal))
            throw new TaskFailureException(FailureReason.InvalidDocument, $"Nothing can be published as {remote}: that is no key, or one of the engine's own.");
        return location;
    }

    private static void RequireIds(string taskId, string attemptId)
    {
        RequireId(taskId, nameof(taskId));
        RequireId(attemptId, nameof(attemptId));
    }

    private static void RequireId(string id, string name)
    {
        if (!Id().IsMatch(id))
            throw new ArgumentException($"'{id}' is no id.", name);
    }

    [GeneratedRegex(@"\A(?!published\.json\z|home\z)[A-Za-z0-9._-]{1,128}\z")]
    private static partial Regex Id();
}
