namespace Sisyphus.Engine.Execution;

/// <summary>How long the publication of outputs is tried for: what took hours to compute is worth hours of trying, what took a second is soon computed again.</summary>
/// <param name="least">For a task that took no time.</param>
/// <param name="ran">From the attempt's start to its last command's end.</param>
internal sealed class PublishPatience(TimeSpan least, TimeSpan ran, TimeProvider time)
{
    private static readonly TimeSpan s_leastWhenDenied = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(24);

    private (bool IsDenied, int Arrived)? _last;
    private long _since;

    /// <summary>Since the first failure of this kind after which nothing more has arrived.</summary>
    public TimeSpan Failing => _last is null ? TimeSpan.Zero : time.GetElapsedTime(_since);

    /// <summary>Asked after each failure: how much longer it is worth trying. As long as something arrives in between, and when the trouble is another one, the time begins anew.</summary>
    /// <param name="isDenied">The store refused. A login that has expired or a right that was taken away can be put right while the outputs wait; but most tasks that may not publish never may, and shall not hold their slots for long.</param>
    /// <param name="arrived">How much has arrived in all.</param>
    public TimeSpan Left(bool isDenied, int arrived)
    {
        if (_last != (isDenied, arrived))
            (_last, _since) = ((isDenied, arrived), time.GetTimestamp());
        var shortest = isDenied && least > s_leastWhenDenied ? s_leastWhenDenied : least;
        var patience = shortest + ran < s_longest ? shortest + ran : s_longest;
        return patience - Failing;
    }
}
