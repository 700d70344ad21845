using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The last steps: what was decided goes to its final keys, and the decision is marked done. Anyone may do it, again and at the same time: the bytes are the same.</summary>
internal sealed class Promotion(Func<RemotePath, ObjectLocation> resolve, DecisionStore decisions, Staging staging, DirectPublication direct, TransferScheduler scheduler)
{
    /// <param name="local">The files of the attempt that decided, which can replace staged objects that are gone; null for anyone else.</param>
    /// <param name="isFirst">Nobody can have begun before: nothing has to be looked for at the final keys.</param>
    /// <param name="state">Told what is promoted.</param>
    /// <returns>The decision that is done: it may be another's.</returns>
    public async Task<Decision> FinishAsync(ObjectLocation home, StandingDecision decided, IReadOnlyList<OutputFile>? local, bool isFirst, PublicationState state, CancellationToken cancellationToken)
    {
        var decision = decided.Decision;
        var turn = new Turn(decisions, home, decided, scheduler.Time);
        Decision standing;
        try
        {
            await Parallel.ForEachAsync(decision.Outputs.Index(), scheduler.Parallelism(cancellationToken), async (output, token) =>
            {
                await PromoteAsync(output.Item, local is null ? null : new OwnOutput(local[output.Index], turn), isFirst, token).ConfigureAwait(false);
                state.AddPromoted(output.Index);
            }).ConfigureAwait(false);
            standing = (await decisions.MarkDoneAsync(home, decided, cancellationToken).ConfigureAwait(false)).Decision;
        }
        catch (TaskFailureException) when (!cancellationToken.IsCancellationRequested)
        {
            // Somebody else may have finished it meanwhile, and then the staged objects are gone and the final ones no longer of our concern.
            if (await decisions.FindAsync(home, decision.Task, cancellationToken).ConfigureAwait(false) is not { Decision: { Done: true } finished })
                throw;
            standing = finished;
        }
        if (!standing.Done)
            throw Turn.Over(decision, standing);
        await staging.CleanAsync(home, decision).ConfigureAwait(false);
        return standing;
    }

    /// <summary>Whether somebody else than the attempt that decided can finish: each output is staged, or at its final key already.</summary>
    public async Task<bool> CanFinishAsync(Decision decision, CancellationToken cancellationToken)
    {
        if (decision.Done)
            return true;
        using var missing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await Parallel.ForEachAsync(decision.Outputs, scheduler.Parallelism(missing.Token), async (output, token) =>
            {
                if (!await scheduler.Retry.RunAsync(() => IsThereAsync(output, token), token).ConfigureAwait(false))
                    await missing.CancelAsync().ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (missing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // One is enough.
        }
        cancellationToken.ThrowIfCancellationRequested();
        return !missing.IsCancellationRequested;
    }

    /// <summary>What an attempt staged that decided nothing: a failed one's log.</summary>
    public Task PromoteAsync(DecidedOutput output, CancellationToken cancellationToken) => PromoteAsync(output, null, false, cancellationToken);

    private Task PromoteAsync(DecidedOutput output, OwnOutput? own, bool isFirst, CancellationToken cancellationToken) =>
        scheduler.Retry.RunAsync(() => TryPromoteAsync(output, own, isFirst, cancellationToken), cancellationToken);

    private async Task TryPromoteAsync(DecidedOutput output, OwnOutput? own, bool isFirst, CancellationToken cancellationToken)
    {
        var location = Place(output);
        // A second copy would be a new generation, and who reads the first one would have to begin anew.
        if (!isFirst && await location.Store.StatAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false) is { Crc32C: not null } final && output.MayBe(final))
            return;
        if (output.Staged is null && own is not null)
        {
            // Sent by an earlier try, to a store that keeps no checksums.
            if (isFirst || !await IsPromotedAsync(location, output, cancellationToken).ConfigureAwait(false))
                await direct.SendAsync(own, output, cancellationToken).ConfigureAwait(false);
            return;
        }
        if (await TryCopyAsync(location, output, cancellationToken).ConfigureAwait(false) || await IsPromotedAsync(location, output, cancellationToken).ConfigureAwait(false))
            return;
        if (own is not null && output.Staged is not null)
        {
            // Who has slept may find it gone because all is done, and what is at the final key by now is somebody's later data. Staging takes time as well.
            await own.Turn.RequireAsync(cancellationToken).ConfigureAwait(false);
            await staging.StageAsync(own.File, output.Staged, new TransferMeter(), cancellationToken).ConfigureAwait(false);
            await own.Turn.RequireStillAsync(cancellationToken).ConfigureAwait(false);
            if (await TryCopyAsync(location, output, cancellationToken).ConfigureAwait(false))
                return;
        }
        throw new TaskFailureException(FailureReason.Internal, $"{output.Path} can't be published: {(output.Staged is null ? "the attempt that decided is not here any more" : $"its staged object {location.Bucket}:{output.Staged} is gone or damaged")}, and the final one is not what was decided.");
    }

    private async Task<bool> IsThereAsync(DecidedOutput output, CancellationToken cancellationToken)
    {
        var location = Place(output);
        // In this order: what is promoted meanwhile is at its final key before it is staged no more.
        return (output.Staged is not null && await location.Store.StatAsync(location.Bucket, output.Staged, cancellationToken).ConfigureAwait(false) is { } staged && output.MayBe(staged))
            || await IsPromotedAsync(location, output, cancellationToken).ConfigureAwait(false);
    }

    // Only here is known where in its bucket a path of file:// lies.
    private ObjectLocation Place(DecidedOutput output)
    {
        var location = resolve(output.Remote());
        return location.Key.Length == 0 || location.Key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal)
            ? throw new TaskFailureException(FailureReason.Internal, $"The decision can't be trusted: it would publish {output.Path}, which is no key, or one of the engine's own.")
            : location;
    }

    private static async Task<bool> TryCopyAsync(ObjectLocation location, DecidedOutput output, CancellationToken cancellationToken)
    {
        try
        {
            if (output.Staged is null || await location.Store.StatAsync(location.Bucket, output.Staged, cancellationToken).ConfigureAwait(false) is not { } staged || !output.MayBe(staged))
                return false;
            return output.MayBe(await location.Store.CopyAsync(staged, location.Key, cancellationToken).ConfigureAwait(false));
        }
        catch (TaskFailureException e) when (e.Reason is FailureReason.InputMissing or FailureReason.InputCorrupt)
        {
            return false; // Deleted while we copied it: another one was faster.
        }
    }

    private static async Task<bool> IsPromotedAsync(ObjectLocation location, DecidedOutput output, CancellationToken cancellationToken)
    {
        if (await location.Store.StatAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false) is not { } final || !output.MayBe(final))
            return false;
        return final.Crc32C is not null || await Crc32COfAsync(location.Store, final, cancellationToken).ConfigureAwait(false) == output.Sum();
    }

    private static async Task<uint?> Crc32COfAsync(IObjectStore store, ObjectInfo info, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await store.OpenReadAsync(info, 0, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var crc = new Crc32C();
                await StreamPump.CopyAsync(stream, bytes => crc.Append(bytes), cancellationToken).ConfigureAwait(false);
                return crc.Value;
            }
        }
        catch (TaskFailureException e) when (e.Reason is FailureReason.InputMissing or FailureReason.InputCorrupt)
        {
            return null; // Replaced while it was read.
        }
    }
}
