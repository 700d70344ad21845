using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

using Docker.DotNet;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Google;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Containers.Registries;
using Sisyphus.Tests.Unit.Google;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

/// <summary>What the engine is told and what is made of its answers. The engine here is a server of the test, because no registry on this machine can be called gcr.io.</summary>
public sealed class ImagePullerTests : IDisposable
{
    private readonly HelperFolder _folder = new();
    private readonly TokenServer _engine = new();
    private readonly TokenServer _tokens = new();
    private readonly DockerClient _client;
    private readonly GoogleCredentials _google;
    private readonly Recorded _progress = new();

    public ImagePullerTests()
    {
        _client = new DockerClientBuilder().WithEndpoint(new Uri(_engine.Url)).Build();
        _google = new(new(name => name == "NO_GCE_CHECK" ? "true" : null, _folder.Path, Windows: false, new RedirectedClients(_tokens.Address)), TimeProvider.System);
        _engine.Answer = _ => (200, """{"status":"Status: Downloaded"}""");
        _tokens.GiveTokens();
        _folder.Configure("""{"auths":{"quay.io":{"auth":"dXNlcjpodXNo"}}}""");
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, ".config", "gcloud"));
        File.WriteAllText(Path.Combine(folder.FullName, "application_default_credentials.json"), """{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}""");
    }

    [Fact]
    public async Task PullAsync_LoginForTheRegistry_GoesWithItsImagesOnly()
    {
        await PullAsync("quay.io/team/tool:1");
        var header = Header(_engine.Seen.Last());
        Assert.Equal(("user", "hush", "quay.io"), (Text(header, "username"), Text(header, "password"), Text(header, "serveraddress")));
        foreach (var other in new[] { "quay.io:5000/team/tool:1", "docker.io/quay.io/tool:1", "alpine:3", "quay.io.evil.example/tool:1" })
        {
            await PullAsync(other);
            Assert.DoesNotContain("dXNlcjpodXNo", _engine.Seen.Last().Headers["X-Registry-Auth"] ?? "", StringComparison.Ordinal);
            Assert.Null(Text(Header(_engine.Seen.Last()), "password"));
        }
        Assert.Empty(_tokens.Seen);
    }

    [Fact]
    public async Task PullAsync_GooglesRegistry_GetsAnAccessToken()
    {
        await PullAsync("europe-docker.pkg.dev/lab/tools/x:1");
        var header = Header(_engine.Seen.Last());
        Assert.Equal(("oauth2accesstoken", "token-1", "europe-docker.pkg.dev"), (Text(header, "username"), Text(header, "password"), Text(header, "serveraddress")));
    }

    [Fact]
    public async Task PullAsync_GooglesTokenRefused_IsRenewedOnce()
    {
        _engine.Answer = request => (200, Text(Header(request), "password") == "token-2" ? """{"status":"done"}""" : Error("unauthorized: authentication failed"));
        await PullAsync("gcr.io/lab/x:1");
        Assert.Equal(2, _engine.Seen.Count);

        _engine.Answer = _ => (200, Error("unauthorized: authentication failed"));
        var failure = await FailAsync("gcr.io/lab/x:1", FailureReason.ImagePullDenied);
        Assert.Equal(4, _engine.Seen.Count);
        Assert.Contains("the Google credentials in ", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("token-", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PullAsync_TooManyRequests_WaitsAsLongAsTheRegistrySays()
    {
        var first = true;
        _engine.Answer = _ => (200, Interlocked.Exchange(ref first, false) ? Error("toomanyrequests: retry-after: 300ms, allowed: 44000/minute") : """{"status":"done"}""");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await PullAsync("quay.io/team/tool:1");
        Assert.True(clock.Elapsed > TimeSpan.FromMilliseconds(300), $"{clock.Elapsed}");
        Assert.Contains(_progress.Seen, p => p.Status.StartsWith("trying again in ", StringComparison.Ordinal) && p.Status.Contains("toomanyrequests", StringComparison.Ordinal));
    }

    [Fact]
    public async Task PullAsync_AskedToWaitLongerThanTheBudget_LeavesItToTheTask()
    {
        _engine.Answer = _ => (200, Error("toomanyrequests: retry-after: 10m"));
        var failure = await FailAsync("quay.io/team/tool:1", FailureReason.ImagePullFailed);
        Assert.Equal(TimeSpan.FromMinutes(10), failure.RetryAfter);
        Assert.Single(_engine.Seen);
    }

    [Fact]
    public async Task PullAsync_FailsOverAndOver_EndsWithTheBudget()
    {
        _engine.Answer = _ => (200, Error("received unexpected HTTP status: 503 Service Unavailable"));
        var failure = await FailAsync("quay.io/team/tool:1", FailureReason.ImagePullFailed);
        Assert.InRange(_engine.Seen.Count, 3, 40);
        Assert.Contains($"in {_engine.Seen.Count} tries", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("denied: requested access to the resource is denied", FailureReason.ImagePullDenied)]
    [InlineData("manifest unknown: manifest unknown", FailureReason.ImageNotFound)]
    [InlineData("x509: certificate signed by unknown authority", FailureReason.ImagePullFailed)]
    public async Task PullAsync_NothingThatPasses_IsTriedOnceAndSaysWithWhat(string sentence, FailureReason reason)
    {
        _engine.Answer = _ => (500, JsonSerializer.Serialize(new { message = sentence }));
        var failure = await FailAsync("quay.io/team/tool:1", reason);
        Assert.Contains($"the login for quay.io in {_folder.ConfigFile}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);
        var anonymous = await FailAsync("other.io/team/tool:1", reason);
        Assert.Contains($"there is no login for other.io in {_folder.ConfigFile}", anonymous.Message, StringComparison.Ordinal);
        Assert.Equal(2, _engine.Seen.Count);
    }

    [Fact]
    public async Task PullAsync_HelperMissing_AsksWithoutAndADenialNamesTheHelper()
    {
        _folder.Configure("""{"credsStore":"absent"}""");
        await PullAsync("quay.io/public/tool:1");
        Assert.Contains(_progress.Seen, p => p.Status.Contains("docker-credential-absent", StringComparison.Ordinal));
        _engine.Answer = _ => (200, Error("unauthorized: authentication required"));
        Assert.Contains("docker-credential-absent", (await FailAsync("quay.io/team/tool:1", FailureReason.ImagePullDenied)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PullAsync_DeniedWhileGoogleCouldNotBeAsked_IsRetryable()
    {
        _tokens.Answer = _ => (503, "{}");
        _engine.Answer = _ => (200, Error("denied: Unauthenticated request"));
        await FailAsync("gcr.io/lab/x:1", FailureReason.ImagePullFailed, new() { Budget = TimeSpan.Zero });
    }

    [Fact]
    public async Task PullAsync_EngineGone_IsNotTheRegistrysFault()
    {
        _engine.Dispose();
        await FailAsync("quay.io/team/tool:1", FailureReason.EngineUnavailable);
    }

    // The library's handshake does not look at the token.
    [Fact]
    public async Task PullAsync_EngineThatNeverGreets_EndsWhenItIsCanceled()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var address = new Uri($"https://{silent.LocalEndpoint}");
        using var client = new DockerClientBuilder().WithEndpoint(address).Build();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var logins = new RegistryLogins(new(_ => null, _folder.Path, Windows: false), _google);
        var pull = new ImagePuller(new EngineCalls(client, new(address, null, "test")), logins, new PullOptions(), TimeProvider.System).PullAsync("quay.io/team/tool:1", _progress, cancel.Token);
        using var connected = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    public void Dispose()
    {
        _client.Dispose();
        _google.Dispose();
        _engine.Dispose();
        _tokens.Dispose();
        _folder.Dispose();
    }

    private Task PullAsync(string reference, PullOptions? options = null)
    {
        var logins = new RegistryLogins(new(_ => null, _folder.Path, Windows: false), _google);
        var quick = new PullOptions { Budget = TimeSpan.FromSeconds(1), BaseDelay = TimeSpan.FromMilliseconds(50), MaxDelay = TimeSpan.FromMilliseconds(200) };
        var calls = new EngineCalls(_client, new(new(_engine.Url), null, "test"));
        return new ImagePuller(calls, logins, options ?? quick, TimeProvider.System).PullAsync(reference, _progress, TestContext.Current.CancellationToken);
    }

    private async Task<TaskFailureException> FailAsync(string reference, FailureReason reason, PullOptions? options = null)
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => PullAsync(reference, options));
        Assert.True(reason == failure.Reason, $"{failure.Reason}: {failure.Message}");
        return failure;
    }

    // As the engine reports what goes wrong after the answer has begun.
    private static string Error(string sentence) => JsonSerializer.Serialize(new { errorDetail = new { message = sentence }, error = sentence });

    private static JsonElement Header(TokenRequest request)
    {
        if (request.Headers["X-Registry-Auth"] is not { Length: > 0 } header)
            return JsonDocument.Parse("{}").RootElement;
        return JsonDocument.Parse(Convert.FromBase64String(header.Replace('-', '+').Replace('_', '/'))).RootElement;
    }

    private static string? Text(JsonElement header, string name) =>
        header.EnumerateObject().FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { Value.ValueKind: JsonValueKind.String } found ? found.Value.GetString() : null;

    private sealed class Recorded : IProgress<PullProgress>
    {
        public ConcurrentQueue<PullProgress> Seen { get; } = [];

        public void Report(PullProgress value) => Seen.Enqueue(value);
    }
}
