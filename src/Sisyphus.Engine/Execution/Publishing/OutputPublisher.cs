using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Publishes the outputs of exactly one attempt of a task, all of them: decided once, finished by anyone (docs/stores.md, "Publishing").</summary>
/// <remarks>Knows stores only by <see cref="IObjectStore"/>. <c>home</c> is the remote path of the document's first output, written or not: its bucket holds the decision.</remarks>
internal sealed class OutputPublisher
{
    /// <summary>Since the last staged object; longer than publishing is tried for, and than any upload of one object should take.</summary>
    public static readonly TimeSpan DefaultSweepAge = TimeSpan.FromDays(3);

    private static readonly TimeSpan s_lastLook = TimeSpan.FromSeconds(30);

    private readonly Func<RemotePath, ObjectLocation> _resolve;
    private readonly TimeProvider _time;
    private readonly Retry _retry;
    private readonly DecisionStore _decisions;
    private readonly Staging _staging;
    private readonly Promotion _promotion;

    /// <param name="resolve">Where a remote path really is; throws where the node's policy forbids it.</param>
    public OutputPublisher(Func<RemotePath, ObjectLocation> resolve, TransferScheduler scheduler)
    {
        _resolve = resolve;
        _time = scheduler.Time;
        _retry = scheduler.Retry;
        _decisions = new DecisionStore(_retry);
        _staging = new Staging(resolve, scheduler);
        _promotion = new Promotion(resolve, _decisions, _staging, new DirectPublication(resolve, scheduler), scheduler);
    }

    /// <summary>Where the decision of a task is kept, or null for a task that publishes nothing.</summary>
    public static RemotePath? HomeOf(TaskDocument task) => task.Outputs.Count == 0 ? null : task.Outputs[0].Remote;

    /// <summary>Whether publishing the same outputs later may end well: what passes by itself, and a refusal, because credentials and rights can be put right meanwhile.</summary>
    public static bool MayPass(TaskFailureException failure) => failure.IsRetryable || failure.Reason == FailureReason.InputDenied;

    /// <summary>Finishes the publication of a task that is decided, if anyone can.</summary>
    /// <returns>Null when nothing is decided, or only the attempt that decided could finish it; then another one may take its place.</returns>
    public async Task<Publication?> FinishAsync(string taskId, RemotePath home, CancellationToken cancellationToken)
    {
        RequireId(taskId, nameof(taskId));
        var location = _resolve(home);
        return await _decisions.FindAsync(location, taskId, cancellationToken).ConfigureAwait(false) is { } standing
            ? await TryFinishAsync(home, location, standing, cancellationToken).ConfigureAwait(false)
            : null;
    }

    /// <summary>Publishes an attempt's outputs, unless another attempt's are decided already.</summary>
    /// <returns>What stands, finished: its <see cref="Publication.AttemptId"/> says whose it is.</returns>
    /// <exception cref="TaskFailureException">Before the decision nothing is left behind, unless <see cref="PublicationRequest.Kept"/> is given. After it the publication stands, and <see cref="FinishAsync(string, RemotePath, CancellationToken)"/> finishes it.</exception>
    public async Task<Publication> PublishAsync(PublicationRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var (taskId, attemptId, home, outputs) = request;
        var state = request.Kept ?? new PublicationState();
        RequireIds(taskId, attemptId);
        var location = _resolve(home);
        await CheckAsync(outputs, cancellationToken).ConfigureAwait(false);
        Decision decision;
        try
        {
            var decided = request.Direct
                ? await DirectPublication.DescribeAsync(outputs, cancellationToken).ConfigureAwait(false)
                : await _staging.StageAsync(taskId, attemptId, PublishingKeys.OutputsPrefix(taskId, attemptId), home, outputs, state, progress, cancellationToken).ConfigureAwait(false);
            var exclusive = await _retry.RunAsync(() => location.Store.CreatesExclusivelyAsync(location.Bucket, cancellationToken), cancellationToken).ConfigureAwait(false);
            decision = new Decision
            {
                Version = request.Direct ? Decision.CurrentVersion : Decision.StagedVersion,
                Task = taskId,
                Attempt = attemptId,
                Exclusive = exclusive ? null : false,
                Direct = request.Direct ? true : null,
                Outputs = decided,
                Record = request.Record([.. decided.Select(ToPublished)], exclusive),
            };
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception e) when (!state.MayBeDecided && (request.Kept is null || e is not TaskFailureException failure || !MayPass(failure)))
        {
            await AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
            throw;
        }

        // From here on an error says nothing of whether we won, so our staging must stay. A cancellation would say as little, so it has to wait.
        state.MayBeDecided = true;
        var standing = await _decisions.CreateAsync(location, decision, CancellationToken.None).ConfigureAwait(false);
        if (standing.Decision.Attempt != attemptId)
            standing = await ReplaceUnlessFinishableAsync(request, location, standing, decision, cancellationToken).ConfigureAwait(false);
        if (standing.Decision.Attempt == attemptId)
            return await FinishOursAsync(home, location, standing, outputs, isFirst: ReferenceEquals(standing.Decision, decision), state, request.Finishing).ConfigureAwait(false);
        await AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
        return await FinishAsync(home, location, standing, null, false, new PublicationState(), request.Finishing).ConfigureAwait(false);
    }

    /// <summary>Deletes what an attempt staged that is not to be published after all. Never throws: what stays is swept.</summary>
    public Task AbandonAsync(string taskId, string attemptId, IReadOnlyList<OutputFile> outputs) => AbandonAsync(taskId, attemptId, outputs.Select(output => output.Remote));

    /// <summary>Publishes what a failed attempt may: its logs and its record. Nothing when there is a decision, whoever made it, finished or not: this attempt's own may be among them.</summary>
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
        if (await IsDecidedAsync().ConfigureAwait(false))
            return new FailurePublication(null, [], IsDecided: true);
        IReadOnlyList<DecidedOutput> staged;
        var prefix = PublishingKeys.LogsPrefix(taskId, attemptId);
        try
        {
            staged = await _staging.StageAsync(taskId, attemptId, prefix, home, logs, new PublicationState(), null, cancellationToken).ConfigureAwait(false);
            // Again between the long part and the short one: a winner's log must not be replaced by ours.
            if (await IsDecidedAsync().ConfigureAwait(false))
                return new FailurePublication(null, [], IsDecided: true);
            foreach (var output in staged)
                await _promotion.PromoteAsync(output, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await _staging.AbandonAsync(taskId, attemptId, prefix, logs.Select(log => log.Remote)).ConfigureAwait(false);
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
        // Who was decided while we wrote promotes after that, or is promoted again by whoever finishes it.
        return new FailurePublication(InHome(home, location, key), published, await IsDecidedAsync().ConfigureAwait(false));

        async Task<bool> IsDecidedAsync() => await _decisions.FindAsync(location, taskId, cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>Tidies up after an attempt that came to no end: finishes the task's publication if one was decided, and deletes what the attempt staged in vain.</summary>
    /// <param name="outputs">Remote paths of the document's outputs, the home first.</param>
    /// <returns>The publication, this attempt's or another's; null as <see cref="FinishAsync(string, RemotePath, CancellationToken)"/> does.</returns>
    public async Task<Publication?> RecoverAsync(string taskId, string attemptId, IReadOnlyList<RemotePath> outputs, CancellationToken cancellationToken)
    {
        RequireIds(taskId, attemptId);
        var location = _resolve(outputs[0]);
        var standing = await _decisions.FindAsync(location, taskId, cancellationToken).ConfigureAwait(false);
        var finished = standing is null ? null : await TryFinishAsync(outputs[0], location, standing, cancellationToken).ConfigureAwait(false);
        // What it staged and won with may be left too, if it died right before it had tidied up.
        if (finished is not null || standing?.Decision.Attempt != attemptId)
            await AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
        return finished;
    }

    /// <summary>Removes from one bucket what attempts staged that never came to a decision, and finishes what was decided and left.</summary>
    /// <param name="age">From the attempt's last staged object to the newest one of the engine's in the bucket. An attempt that is that slow and wins after all stages again what it misses.</param>
    /// <param name="warn">Told of each attempt whose objects are left because something about them can't be known.</param>
    /// <returns>Objects removed.</returns>
    public Task<int> SweepAsync(RemotePath bucket, TimeSpan age, Action<string> warn, CancellationToken cancellationToken) =>
        new StagingSweep(_resolve, _decisions, _retry).RunAsync(bucket, age, FinishAsync, warn, cancellationToken);

    private Task AbandonAsync(string taskId, string attemptId, IEnumerable<RemotePath> remotes) =>
        _staging.AbandonAsync(taskId, attemptId, PublishingKeys.OutputsPrefix(taskId, attemptId), remotes);

    private static PublishedObject ToPublished(DecidedOutput output) => new(output.Path, output.Size, output.Crc32C, output.Sha256);

    // For file:// the home's key begins with the folder that is the bucket; for others with nothing.
    private static RemotePath InHome(RemotePath home, ObjectLocation location, string key) => home.WithKey(home.Key[..^location.Key.Length] + key);

    /// <summary>Puts our decision in the place of another attempt's that only that one could finish.</summary>
    /// <returns>The one that stands then.</returns>
    private async Task<StandingDecision> ReplaceUnlessFinishableAsync(PublicationRequest request, ObjectLocation location, StandingDecision left, Decision decision, CancellationToken cancellationToken)
    {
        try
        {
            if (await _promotion.CanFinishAsync(left.Decision, request.Finishing).ConfigureAwait(false))
                return left;
            if (request.BeforeReplacing is { } ask)
                await ask(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // We have not won, and won't any more.
            await AbandonAsync(decision.Task, decision.Attempt, request.Outputs).ConfigureAwait(false);
            throw;
        }
        var standing = await _decisions.ReplaceAsync(location, left, decision, CancellationToken.None).ConfigureAwait(false);
        // Before ours go to the final keys: nobody who slept shall copy the others there after that.
        if (standing.Decision.Attempt == decision.Attempt)
            await _staging.CleanAsync(location, left.Decision).ConfigureAwait(false);
        return standing;
    }

    private async Task<Publication?> TryFinishAsync(RemotePath home, ObjectLocation location, StandingDecision standing, CancellationToken cancellationToken)
    {
        if (!await _promotion.CanFinishAsync(standing.Decision, cancellationToken).ConfigureAwait(false))
        {
            // Finished while we looked, its objects may be anywhere by now.
            if (await _decisions.FindAsync(location, standing.Decision.Task, cancellationToken).ConfigureAwait(false) is not { Decision.Done: true } done)
                return null;
            standing = done;
        }
        return await FinishAsync(home, location, standing, null, false, new PublicationState(), cancellationToken).ConfigureAwait(false);
    }

    private async Task<Publication> FinishAsync(RemotePath home, ObjectLocation location, StandingDecision standing, IReadOnlyList<OutputFile>? local, bool isFirst, PublicationState state, CancellationToken cancellationToken)
    {
        var done = standing.Decision.Done ? standing.Decision : await _promotion.FinishAsync(location, standing, local, isFirst, state, cancellationToken).ConfigureAwait(false);
        return new Publication(done.Task, done.Attempt, [.. done.Outputs.Select(ToPublished)], done.Record, InHome(home, location, PublishingKeys.Decision(done.Task)), done.Done);
    }

    private async Task<Publication> FinishOursAsync(RemotePath home, ObjectLocation location, StandingDecision standing, IReadOnlyList<OutputFile> outputs, bool isFirst, PublicationState state, CancellationToken cancellationToken)
    {
        var (taskId, attemptId) = (standing.Decision.Task, standing.Decision.Attempt);
        try
        {
            var publication = await FinishAsync(home, location, standing, outputs, isFirst, state, cancellationToken).ConfigureAwait(false);
            // Another try of ours was told that it is done, or is not ours any more: this one has pointed to the decision again.
            if (standing.Decision.Done || publication.AttemptId != attemptId)
                await AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
            return publication;
        }
        catch (OperationCanceledException)
        {
            // Whoever finishes it tidies up. If it is done already, that was us, or was before we had staged again what was missing.
            await AbandonIfDoneAsync(location, taskId, attemptId, outputs).ConfigureAwait(false);
            throw;
        }
    }

    private async Task AbandonIfDoneAsync(ObjectLocation location, string taskId, string attemptId, IReadOnlyList<OutputFile> outputs)
    {
        using var limit = new CancellationTokenSource(s_lastLook, _time);
        try
        {
            if (await _decisions.FindAsync(location, taskId, limit.Token).ConfigureAwait(false) is not { Decision.Done: true })
                return;
        }
        catch (Exception e) when (e is TaskFailureException or OperationCanceledException || Retry.IsWorthwhile(e))
        {
            return; // What stays is swept.
        }
        await AbandonAsync(taskId, attemptId, outputs).ConfigureAwait(false);
    }

    // What would make a decision that nobody can finish has to be found before it is made.
    private async Task CheckAsync(IReadOnlyList<OutputFile> outputs, CancellationToken cancellationToken)
    {
        (RemotePath Remote, ObjectLocation Location)[] places = [.. outputs.Select(output => (output.Remote, Place(output.Remote)))];
        // By where they are: two buckets of a mapping may be one, and a URL may name what a bucket is.
        if (places.GroupBy(output => output.Location.Store.PlaceOf(output.Location.Bucket, output.Location.Key)).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new TaskFailureException(FailureReason.InvalidDocument, $"Two outputs would be published as {string.Join(", which is ", twice.Select(output => output.Remote.ToString()).Distinct())}.");
        foreach (var group in places.GroupBy(output => (output.Location.Store, output.Location.Bucket)))
            await _retry.RunAsync(() => group.Key.Store.CheckWritableAsync(group.Key.Bucket, [.. group.Select(output => output.Location.Key)], cancellationToken), cancellationToken).ConfigureAwait(false);
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
        if (!PublishingKeys.IsId(id))
            throw new ArgumentException($"'{id}' is no id.", name);
    }
}
