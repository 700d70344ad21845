using System.Globalization;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Checksums;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The last steps: what was decided goes to its final keys, and the decision is marked done. Anyone may do it, again and at the same time: the bytes are the same.</summary>
internal sealed class Promotion(Func<RemotePath, ObjectLocation> resolve, DecisionStore decisions, Staging staging, TransferOptions options, Retry retry)
{
    /// <param name="local">The winner's files, which can replace staged objects that are gone; null for anyone else.</param>
    /// <returns>The decision, done.</returns>
    public async Task<Decision> FinishAsync(ObjectLocation home, Decision decision, IReadOnlyList<OutputFile>? local, CancellationToken cancellationToken)
    {
        try
        {
            await Parallel.ForEachAsync(decision.Outputs.Index(), staging.Parallelism(cancellationToken), async (output, token) =>
                await PromoteAsync(output.Item, local?[output.Index], token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (TaskFailureException) when (!cancellationToken.IsCancellationRequested)
        {
            // Somebody else may have finished it meanwhile, and then the staged objects are gone and the final ones no longer of our concern.
            if (await decisions.FindAsync(home, decision.Task, cancellationToken).ConfigureAwait(false) is { Done: true } finished)
                return finished;
            throw;
        }
        var done = await decisions.MarkDoneAsync(home, decision, cancellationToken).ConfigureAwait(false);
        await staging.CleanAsync(home, done).ConfigureAwait(false);
        return done;
    }

    public Task PromoteAsync(DecidedOutput output, OutputFile? local, CancellationToken cancellationToken) =>
        retry.RunAsync(() => TryPromoteAsync(output, local, cancellationToken), cancellationToken);

    private async Task TryPromoteAsync(DecidedOutput output, OutputFile? local, CancellationToken cancellationToken)
    {
        var location = resolve(output.Remote());
        // A second copy would be a new generation, and who reads the first one would have to begin anew. The winner knows that he is first.
        if (local is null && await location.Store.StatAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false) is { Crc32C: not null } final && MayBe(final, output))
            return;
        if (await TryCopyAsync(location, output, cancellationToken).ConfigureAwait(false) || await IsPromotedAsync(location, output, cancellationToken).ConfigureAwait(false))
            return;
        if (local is not null)
        {
            await staging.StageAsync(local, output.Staged, new TransferMeter(), cancellationToken).ConfigureAwait(false);
            if (await TryCopyAsync(location, output, cancellationToken).ConfigureAwait(false))
                return;
        }
        throw new TaskFailureException(FailureReason.Internal, $"{output.Path} can't be published: its staged object {location.Bucket}:{output.Staged} is gone or damaged, and the final one is not what was decided.");
    }

    private static async Task<bool> TryCopyAsync(ObjectLocation location, DecidedOutput output, CancellationToken cancellationToken)
    {
        try
        {
            if (await location.Store.StatAsync(location.Bucket, output.Staged, cancellationToken).ConfigureAwait(false) is not { } staged || !MayBe(staged, output))
                return false;
            return MayBe(await location.Store.CopyAsync(staged, location.Key, cancellationToken).ConfigureAwait(false), output);
        }
        catch (TaskFailureException e) when (e.Reason is FailureReason.InputMissing or FailureReason.InputCorrupt)
        {
            return false; // Deleted while we copied it: another one was faster.
        }
    }

    private async Task<bool> IsPromotedAsync(ObjectLocation location, DecidedOutput output, CancellationToken cancellationToken)
    {
        if (await location.Store.StatAsync(location.Bucket, location.Key, cancellationToken).ConfigureAwait(false) is not { } final || !MayBe(final, output))
            return false;
        return final.Crc32C is not null || await Crc32COfAsync(location.Store, final, cancellationToken).ConfigureAwait(false) == Parse(output.Crc32C);
    }

    // A store that keeps no checksums says nothing against it.
    private static bool MayBe(ObjectInfo info, DecidedOutput output) =>
        info.Size == output.Size && (info.Crc32C is not { } crc || crc == Parse(output.Crc32C));

    private async Task<uint?> Crc32COfAsync(IObjectStore store, ObjectInfo info, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await store.OpenReadAsync(info, 0, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var crc = new Crc32C();
                var result = await StreamPump.CopyAsync(stream, bytes => crc.Append(bytes), options.StallTimeout, TimeProvider.System, cancellationToken).ConfigureAwait(false);
                return result.Error is null ? crc.Value : throw result.Error;
            }
        }
        catch (TaskFailureException e) when (e.Reason is FailureReason.InputMissing or FailureReason.InputCorrupt)
        {
            return null; // Replaced while it was read.
        }
    }

    private static uint Parse(string crc) => uint.Parse(crc, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
