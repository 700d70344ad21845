using System.Diagnostics;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

public sealed class BrokerConnectorTests
{
    private const string Secret = "s3cr3t";
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ConnectAsync_NobodyListens_SaysSoAtOnce()
    {
        var (error, took) = await FailAsync($"127.0.0.1:{TestListener.FreePort()}", "connect_timeout=20s");
        Assert.Contains("nobody listens there", error.Message, StringComparison.Ordinal);
        Assert.True(took < Slack, $"{took}");
    }

    [Fact]
    public async Task ConnectAsync_UnknownName_SaysSo()
    {
        var (error, _) = await FailAsync("no-such-host.invalid", "connect_timeout=5s");
        Assert.Equal(QueueFailure.Unavailable, error.Failure);
        Assert.Contains("no-such-host.invalid", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectAsync_NeverAnAnswer_EndsAtTheLimit()
    {
        await using var silent = TestListener.Silent();
        var (error, took) = await FailAsync($"127.0.0.1:{silent.Port}", "connect_timeout=1s");
        Assert.Contains("no answer within 1 s", error.Message, StringComparison.Ordinal);
        Assert.InRange(took, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(1) + Slack);
        // Nothing is left behind of the attempt.
        await silent.HungUp.WaitAsync(Slack, Token);
    }

    [Fact]
    public async Task ConnectAsync_NeverAnAnswerToTls_EndsAtTheLimit()
    {
        await using var silent = TestListener.Silent();
        var (error, took) = await FailAsync($"127.0.0.1:{silent.Port}", "connect_timeout=1s", "amqps");
        Assert.Contains("no answer within 1 s", error.Message, StringComparison.Ordinal);
        Assert.InRange(took, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(1) + Slack);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno", true, "does not speak AMQP")]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false, "does not speak AMQP")]
    [InlineData("SSH-2.0-OpenSSH_9.2p1\r\n", false, "does not speak AMQP")]
    [InlineData("AMQP\u0003\u0001\u0000\u0000", true, "does not speak AMQP")]
    [InlineData("AMQP\u0000\u0001\u0000\u0000", true, "does not speak AMQP")]
    [InlineData("\u0015\u0003\u0003\u0000\u0002\u0002F", true, "no answer within 2 s")]
    [InlineData("\u0001\u0000\u0000\u007f\u00ff\u00ff\u00ff", false, "does not speak AMQP")]
    [InlineData("", true, "the connection was cut")]
    public async Task ConnectAsync_NoBroker_SaysSoWithinTheLimit(string answer, bool hangUp, string said)
    {
        await using var listener = TestListener.Answering(answer, hangUp);
        var (error, took) = await FailAsync($"127.0.0.1:{listener.Port}", "connect_timeout=2s");
        Assert.Equal(QueueFailure.Unavailable, error.Failure);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.True(took < TimeSpan.FromSeconds(2) + Slack, $"{took}");
    }

    [Fact]
    public async Task ConnectAsync_SeveralHosts_EachGetsItsShareAndItsReason()
    {
        await using var silent = TestListener.Silent();
        await using var other = TestListener.Silent();
        var nobody = TestListener.FreePort();
        var (error, took) = await FailAsync($"127.0.0.1:{silent.Port},127.0.0.1:{nobody},127.0.0.1:{other.Port}", "connect_timeout=2s");
        Assert.Equal((1, 1), (silent.Accepted, other.Accepted));
        Assert.Contains("any of its 3 hosts", error.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{nobody}: nobody listens there", error.Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{silent.Port}: no answer within", error.Message, StringComparison.Ordinal);
        Assert.True(took < TimeSpan.FromSeconds(2) + Slack, $"{took}");
    }

    [Fact]
    public async Task ConnectAsync_Canceled_EndsAtOnce()
    {
        await using var silent = TestListener.Silent();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var connecting = new BrokerConnector(BrokerAddress.Parse($"amqp://127.0.0.1:{silent.Port}")).ConnectAsync("test", stop.Token);
        await stop.CancelAsync();
        var canceled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        Assert.Equal(stop.Token, canceled.CancellationToken);
        if (silent.Accepted > 0)
            await silent.HungUp.WaitAsync(Slack, Token);
    }

    [Theory]
    [InlineData("other name", "it is not for '127.0.0.1' but for broker.example")]
    [InlineData("expired", "it has expired")]
    [InlineData("not yet", "it is not valid yet")]
    [InlineData("other authority", "it is not from an authority in")]
    [InlineData("unknown authority", "this machine does not trust it")]
    public async Task ConnectAsync_CertificateThatIsBad_IsRefusedAndSays(string what, string said)
    {
        using var authority = new TestAuthority();
        using var other = new TestAuthority();
        var now = DateTimeOffset.UtcNow;
        using var certificate = what switch
        {
            "other name" => authority.Issue("broker.example"),
            "expired" => authority.Issue("127.0.0.1", now.AddDays(-3), now.AddDays(-1)),
            "not yet" => authority.Issue("127.0.0.1", now.AddDays(1), now.AddDays(3)),
            _ => authority.Issue("127.0.0.1"),
        };
        await using var listener = TestListener.Tls(certificate);
        var trusted = what switch { "unknown authority" => "", "other authority" => $"&cacertfile={other.File}", _ => $"&cacertfile={authority.File}" };
        var (error, took) = await FailAsync($"127.0.0.1:{listener.Port}", "connect_timeout=10s" + trusted, "amqps");
        Assert.Equal(QueueFailure.Denied, error.Failure);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.True(took < Slack, $"{took}");
    }

    [Fact]
    public async Task ConnectAsync_GoodCertificate_GetsToTheSilenceBehindIt()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("127.0.0.1");
        await using var listener = TestListener.Tls(certificate);
        var (error, _) = await FailAsync($"127.0.0.1:{listener.Port}", $"connect_timeout=1s&cacertfile={authority.File}", "amqps");
        Assert.Contains("no answer within 1 s", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectAsync_TlsToAPortWithout_SaysSo()
    {
        await using var listener = TestListener.Answering("AMQP\u0000\u0000\u0009\u0001");
        var (error, _) = await FailAsync($"127.0.0.1:{listener.Port}", "connect_timeout=5s", "amqps");
        Assert.Contains("TLS", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cacertfile", null, "the authorities in {0} can't be read")]
    [InlineData("cacertfile", "no pem", "{0} has no certificate in PEM form")]
    [InlineData("certfile", null, "the client certificate in {0} can't be read")]
    [InlineData("certfile", "no pem", "the client certificate in {0} can't be read")]
    public async Task ConnectAsync_FileThatIsBad_SaysWhich(string key, string? content, string said)
    {
        var folder = Directory.CreateTempSubdirectory("sisyphus-tls-");
        var file = Path.Combine(folder.FullName, "x.pem");
        if (content is not null)
            await File.WriteAllTextAsync(file, content, Token);
        var (error, _) = await FailAsync("127.0.0.1:9", $"{key}={file}", "amqps");
        folder.Delete(recursive: true);
        Assert.Equal(QueueFailure.Denied, error.Failure);
        Assert.Contains(said.Replace("{0}", file, StringComparison.Ordinal), error.Message, StringComparison.Ordinal);
    }

    private static async Task<(QueueException Error, TimeSpan Took)> FailAsync(string hosts, string query, string scheme = "amqp")
    {
        var connector = new BrokerConnector(BrokerAddress.Parse($"{scheme}://me:{Secret}@{hosts}?{query}"));
        var started = Stopwatch.GetTimestamp();
        var error = await Assert.ThrowsAsync<QueueException>(() => connector.ConnectAsync("test", Token));
        var took = Stopwatch.GetElapsedTime(started);
        Assert.Contains($"{scheme}://me@{hosts}?", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
        return (error, took);
    }
}
