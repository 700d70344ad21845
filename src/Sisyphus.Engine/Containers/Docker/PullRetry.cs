using System.Globalization;
using System.Text.RegularExpressions;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Whether and when a failed pull is tried again. All that is known is the engine's sentence.</summary>
internal static partial class PullRetry
{
    // What no second try changes: a certificate, plain HTTP where TLS is wanted, a limit that is counted in hours.
    private static readonly string[] s_lasting = ["x509:", "server gave HTTP response to HTTPS client", "reached your pull rate limit", "unsupported protocol scheme"];

    public static bool IsWorthwhile(FailureReason reason, string sentence) =>
        reason == FailureReason.ImagePullFailed && !s_lasting.Any(part => sentence.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <summary>How long the registry wants to be left alone: "retry-after: 1.5s", "try again in 2 minutes". Null where it does not say.</summary>
    public static TimeSpan? RetryAfter(string sentence)
    {
        var match = Wish().Match(sentence);
        if (!match.Success)
            return null;
        var sum = 0.0;
        for (var part = 0; part < match.Groups["n"].Captures.Count; part++)
            sum += double.Parse(match.Groups["n"].Captures[part].Value, CultureInfo.InvariantCulture) * Seconds(match.Groups["u"].Captures[part].Value);
        return TimeSpan.FromSeconds(Math.Min(sum, TimeSpan.FromDays(1).TotalSeconds));
    }

    /// <param name="failures">In a row, from 1.</param>
    /// <param name="random">0 to 1: on top of what was asked for, so that all who were sent away at once do not come back at once.</param>
    public static TimeSpan Pause(PullOptions options, int failures, TimeSpan? asked, double random)
    {
        var full = Math.Min(options.MaxDelay.TotalSeconds, options.BaseDelay.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 30)));
        return (asked ?? TimeSpan.Zero) + TimeSpan.FromSeconds(full * (0.5 + (random / 2)));
    }

    private static double Seconds(string unit) => unit switch
    {
        "ns" => 1e-9,
        "us" or "µs" or "μs" => 1e-6,
        "ms" => 1e-3,
        _ => char.ToLowerInvariant(unit.Length > 0 ? unit[0] : 's') switch
        {
            'h' => 3600,
            'm' => 60,
            _ => 1,
        },
    };

    [GeneratedRegex(@"(?:retry[- ]after:?|try again (?:in|after)|retry in)\s*(?:(?<n>\d{1,9}(?:\.\d+)?)\s*(?<u>ns|us|µs|μs|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|)(?![a-z]))+",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Wish();
}
