namespace Sisyphus.Engine.Execution;

/// <summary>How long to wait before the next attempt: 1 s, doubled each time up to one minute, a fifth more or less at random so that tasks which failed together do not come back together.</summary>
/// <remarks>Exponential backoff with jitter: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/.</remarks>
internal static class RetryBackoff
{
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longestAsked = TimeSpan.FromHours(1);

    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="random">0 to 1.</param>
    /// <param name="asked">How long a service wants to be left alone; that is waited for on top, but no longer than an hour.</param>
    public static TimeSpan After(int attempt, double random, TimeSpan? asked = null)
    {
        var rest = asked is not { } wanted ? TimeSpan.Zero : wanted < s_longestAsked ? wanted : s_longestAsked;
        var doubled = s_first * Math.Pow(2, Math.Min(attempt - 1, 16));
        return (doubled < s_longest ? doubled : s_longest) * (0.8 + 0.4 * random) + rest;
    }
}
