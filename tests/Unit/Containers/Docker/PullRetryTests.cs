using Sisyphus.Engine.Containers.Docker;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

public sealed class PullRetryTests
{
    [Theory]
    [InlineData("toomanyrequests: retry-after: 477.5ms, allowed: 44000/minute", 0.4775)]
    [InlineData("toomanyrequests: retry-after: 477.741µs, allowed: 44000/minute", 0.000477741)]
    [InlineData("toomanyrequests: Retry-After: 1m2.5s", 62.5)]
    [InlineData("429 Too Many Requests: Retry-After: 30", 30)]
    [InlineData("Too many requests, please try again in 2 minutes.", 120)]
    [InlineData("slow down, retry after 5 seconds", 5)]
    [InlineData("try again in 1h30m", 5400)]
    [InlineData("try again in 999999999h", 86400)]
    public void RetryAfter_SentenceThatSays_IsRead(string sentence, double seconds) => Assert.Equal(seconds, PullRetry.RetryAfter(sentence)!.Value.TotalSeconds, 6);

    [Theory]
    [InlineData("toomanyrequests: Rate exceeded")]
    [InlineData("received unexpected HTTP status: 503 Service Unavailable")]
    [InlineData("try again in a while")]
    public void RetryAfter_SentenceThatDoesNotSay_IsNull(string sentence) => Assert.Null(PullRetry.RetryAfter(sentence));

    [Theory]
    [InlineData("received unexpected HTTP status: 503 Service Unavailable", true)]
    [InlineData("Get \"https://r/v2/\": net/http: TLS handshake timeout", true)]
    [InlineData("read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer", true)]
    [InlineData("Get \"https://r/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)", true)]
    [InlineData("toomanyrequests: Rate exceeded", true)]
    [InlineData("unexpected EOF", true)]
    [InlineData("toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading", false)]
    [InlineData("Get \"https://r/v2/\": x509: certificate signed by unknown authority", false)]
    [InlineData("Get \"https://r/v2/\": http: server gave HTTP response to HTTPS client", false)]
    [InlineData("unauthorized: authentication required", false)]
    [InlineData("manifest unknown", false)]
    [InlineData("write /var/lib/docker/tmp/x: no space left on device", false)]
    public void IsWorthwhile_Sentence_OnlyWhatMayPass(string sentence, bool worthwhile) =>
        Assert.Equal(worthwhile, PullRetry.IsWorthwhile(PullErrors.Classify(sentence), sentence));

    [Fact]
    public void Pause_FailuresInARow_DoubleUpToTheLimitWithJitterOnTopOfWhatWasAsked()
    {
        var options = new PullOptions { BaseDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(15) };
        Assert.Equal([1, 2, 4, 8, 15, 15], Enumerable.Range(1, 6).Select(n => PullRetry.Pause(options, n, null, 1).TotalSeconds));
        Assert.Equal(0.5, PullRetry.Pause(options, 1, null, 0).TotalSeconds);
        Assert.Equal(32, PullRetry.Pause(options, 2, TimeSpan.FromSeconds(30), 1).TotalSeconds);
    }

    [Theory]
    [InlineData(-1, 1, 15, 300, nameof(PullOptions.Budget))]
    [InlineData(3601, 1, 15, 300, nameof(PullOptions.Budget))]
    [InlineData(60, 0, 15, 300, nameof(PullOptions.BaseDelay))]
    [InlineData(60, 2, 1, 300, nameof(PullOptions.MaxDelay))]
    [InlineData(60, 1, 15, 0, nameof(PullOptions.Silence))]
    public void Validate_OutOfRange_NamesTheOption(int budget, int first, int longest, int silence, string name)
    {
        var options = new PullOptions { Budget = TimeSpan.FromSeconds(budget), BaseDelay = TimeSpan.FromSeconds(first), MaxDelay = TimeSpan.FromSeconds(longest), Silence = TimeSpan.FromSeconds(silence) };
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(options.Validate).ParamName);
    }
}
