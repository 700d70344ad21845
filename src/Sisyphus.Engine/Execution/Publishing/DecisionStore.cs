using System.Text.Json;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Reads, creates and changes the decision of a task.</summary>
internal sealed class DecisionStore(Retry retry)
{
    private const int MaxReads = 10;
    private const long MaxBytes = 256 * 1024 * 1024;

    /// <summary>Looks, and finishes nothing.</summary>
    /// <returns>Null when nothing is decided.</returns>
    public Task<StandingDecision?> FindAsync(ObjectLocation home, string taskId, CancellationToken cancellationToken) =>
        retry.RunAsync(() => TryFindAsync(home, taskId, cancellationToken), cancellationToken);

    /// <summary>Creates the decision unless there is one.</summary>
    /// <returns>The one that stands, whoever made it.</returns>
    public Task<StandingDecision> CreateAsync(ObjectLocation home, Decision decision, CancellationToken cancellationToken)
    {
        var content = Write(decision);
        // A repeated try may meet the first one, whose answer was lost; the attempt's id in the decision tells.
        return retry.RunAsync(
            async () =>
            {
                for (var tries = 1; tries <= MaxReads; tries++)
                {
                    if (await home.Store.CreateIfAbsentAsync(home.Bucket, PublishingKeys.Decision(decision.Task), content, cancellationToken).ConfigureAwait(false) is { } created)
                        return new StandingDecision(decision, created);
                    if (await TryFindAsync(home, decision.Task, cancellationToken).ConfigureAwait(false) is { } existing)
                        return existing;
                }
                throw new TaskFailureException(FailureReason.TransferFailed, $"The decision {Where(home, decision.Task)} can't be made: it is said to be there, and is not found.");
            },
            cancellationToken);
    }

    /// <summary>Puts another decision in the place of one that nobody can finish.</summary>
    /// <returns>The one that stands then, whoever made it: another one may have been as quick as we are, or its attempt has come to an end after all.</returns>
    public Task<StandingDecision> ReplaceAsync(ObjectLocation home, StandingDecision left, Decision decision, CancellationToken cancellationToken) =>
        ChangeAsync(home, left, decision, cancellationToken);

    /// <summary>Marks a decision done, if it is the one that stands.</summary>
    /// <returns>The one that stands then: another attempt's may have taken its place, done or not.</returns>
    public Task<StandingDecision> MarkDoneAsync(ObjectLocation home, StandingDecision decided, CancellationToken cancellationToken) =>
        ChangeAsync(home, decided, decided.Decision with { Done = true }, cancellationToken);

    /// <summary>Puts a decision in the place of the one that was looked at, and of no other; one that is done stays.</summary>
    private async Task<StandingDecision> ChangeAsync(ObjectLocation home, StandingDecision from, Decision to, CancellationToken cancellationToken)
    {
        var content = Write(to);
        var standing = from;
        for (var tries = 1; tries <= MaxReads; tries++)
        {
            if (await retry.RunAsync(() => home.Store.ReplaceAsync(standing.Object, content, cancellationToken), cancellationToken).ConfigureAwait(false) is { } written)
                return new StandingDecision(to, written);
            // Who is not told that it is done finds that out by looking again.
            if (await FindAsync(home, to.Task, cancellationToken).ConfigureAwait(false) is not { } there)
                return await CreateAsync(home, to, cancellationToken).ConfigureAwait(false);
            if (there.Decision.Done || there.Decision.Attempt != from.Decision.Attempt)
                return there;
            standing = there;
        }
        throw new TaskFailureException(FailureReason.TransferFailed, $"The decision {Where(home, to.Task)} can't be replaced: it is another one each time.");
    }

    private static async Task<StandingDecision?> TryFindAsync(ObjectLocation home, string taskId, CancellationToken cancellationToken)
    {
        var key = PublishingKeys.Decision(taskId);
        for (var attempt = 1; ; attempt++)
        {
            if (await home.Store.StatAsync(home.Bucket, key, cancellationToken).ConfigureAwait(false) is not { } info)
                return null;
            if (info.Size > MaxBytes)
                throw DecisionReader.Unreadable(Where(home, taskId), $"it has {info.Size} bytes");
            try
            {
                return new StandingDecision(DecisionReader.Read(await home.Store.ReadAllAsync(info, cancellationToken).ConfigureAwait(false), taskId, Where(home, taskId)), info);
            }
            catch (TaskFailureException e) when (attempt < MaxReads && e.Reason is (FailureReason.InputCorrupt or FailureReason.InputMissing))
            {
                // Changed while it was read: marked done, or replaced.
            }
        }
    }

    private static byte[] Write(Decision decision) => JsonSerializer.SerializeToUtf8Bytes(decision, PublishingJson.Default.Decision);

    private static string Where(ObjectLocation home, string taskId) => $"{home.Bucket}:{PublishingKeys.Decision(taskId)} in {home.Store.Name}";
}
