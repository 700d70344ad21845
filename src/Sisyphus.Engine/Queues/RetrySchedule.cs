using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>How long a task that failed waits for its next attempt: step by step longer, a fifth more or less at random so that tasks which failed together do not come back together.</summary>
/// <remarks>Steps instead of a formula, because a broker needs a queue for each delay. Exponential backoff with jitter: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/.</remarks>
public sealed class RetrySchedule
{
    public static readonly IReadOnlyList<TimeSpan> DefaultSteps = [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromHours(1)];

    /// <summary>1 to 10 delays of 0 s to 1 day, none shorter than the one before; the last one repeats.</summary>
    public IReadOnlyList<TimeSpan> Steps { get; init; } = DefaultSteps;

    /// <param name="reason">Registries limit by the minute and the hour, so a failed pull starts one step higher than other failures.</param>
    /// <param name="failedAttempts">From 1.</param>
    /// <param name="random">0 to 1.</param>
    /// <param name="asked">How long a service wants to be left alone: it waits for at least that, but never longer than the last step.</param>
    public TimeSpan After(FailureReason reason, int failedAttempts, double random, TimeSpan? asked = null)
    {
        var step = Math.Clamp(failedAttempts - 1 + (reason == FailureReason.ImagePullFailed ? 1 : 0), 0, Steps.Count - 1);
        var least = asked is not { } wanted ? TimeSpan.Zero : wanted < Steps[^1] ? wanted : Steps[^1];
        while (Steps[step] < least)
            step++;
        var delay = Steps[step] * (0.8 + 0.4 * random);
        return delay > least ? delay : least;
    }

    /// <summary>The first of the steps that is long enough, or the last one.</summary>
    public TimeSpan StepOf(TimeSpan wait) => Steps.FirstOrDefault(step => step >= wait, Steps[^1]);

    /// <exception cref="ArgumentException">Names the option, its value and the allowed range.</exception>
    public void Validate()
    {
        var allowed = Steps.Count is >= 1 and <= 10
            && Steps.All(step => step >= TimeSpan.Zero && step <= TimeSpan.FromDays(1))
            && Steps.Zip(Steps.Skip(1)).All(pair => pair.First <= pair.Second);
        if (!allowed)
            throw new ArgumentException($"{nameof(Steps)} is {string.Join(", ", Steps)}; allowed: 1 to 10 rising delays of 0 s to 1 day.", nameof(Steps));
    }
}
