using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>Whether the attempt that decided may still send: while it was cut off, somebody else may have finished its publication, or another attempt have taken its place.</summary>
internal sealed class Turn(DecisionStore decisions, ObjectLocation home, StandingDecision decided, TimeProvider time)
{
    /// <summary>An answer is as good for so long: no attempt is given up for dead so soon.</summary>
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(1);

    private readonly Decision _decision = decided.Decision;
    private volatile string _known = decided.Object.Generation;
    private long _asked;

    /// <exception cref="TaskFailureException">The decision is done, or another attempt's stands. To look again later is worthwhile: then that one is finished, or has been left as well.</exception>
    public async Task RequireAsync(CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        // Decisions can be large, and there may be many objects: only another generation is read.
        if (await home.Store.StatAsync(home.Bucket, PublishingKeys.Decision(_decision.Task), cancellationToken).ConfigureAwait(false) is not { } same || same.Generation != _known)
        {
            var standing = await decisions.FindAsync(home, _decision.Task, cancellationToken).ConfigureAwait(false);
            if (standing is null || standing.Decision.Done || standing.Decision.Attempt != _decision.Attempt)
                throw Over(_decision, standing?.Decision);
            _known = standing.Object.Generation;
        }
        Volatile.Write(ref _asked, now);
    }

    /// <summary>Asks unless the last answer is young: for the end of what may have taken long.</summary>
    /// <exception cref="TaskFailureException">As for <see cref="RequireAsync"/>.</exception>
    public Task RequireStillAsync(CancellationToken cancellationToken) =>
        time.GetElapsedTime(Volatile.Read(ref _asked)) < s_fresh ? Task.CompletedTask : RequireAsync(cancellationToken);

    public static TaskFailureException Over(Decision decision, Decision? standing)
    {
        var why = standing is null ? "its decision is gone" : standing.Attempt == decision.Attempt ? "its publication was finished by another" : $"the attempt {standing.Attempt} has taken its place";
        return new(FailureReason.Internal, $"The attempt {decision.Attempt} sends no more of its outputs: {why}.") { IsRetryable = true };
    }
}
