using System.Text;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Google;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>What a registry gets to see, and what becomes of a pull while the way to it is bad.</summary>
public sealed class RelayedPullTests : ContainerTest, IAsyncLifetime
{
    private const string Unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    private const string Reset = "";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sisyphus-logins-");
    private readonly PushedImages _images;
    private readonly GoogleCredentials _google;
    private readonly DockerContainerEngine _engine;
    private RegistryServer _registry = null!;
    private RegistryRelay _relay = null!;
    private string _reference = "";

    public RelayedPullTests(EngineFixture fixture) : base(fixture)
    {
        _images = new(fixture);
        _google = new(new(name => name == "NO_GCE_CHECK" ? "true" : null, _folder.FullName, Windows: false), TimeProvider.System);
        _engine = EngineFixture.Connect(
            new(new(_ => null, _folder.FullName, Windows: false), _google),
            new() { Budget = TimeSpan.FromSeconds(30), BaseDelay = TimeSpan.FromMilliseconds(200) });
    }

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        _registry = await RegistryServer.StartAsync(protect: true);
        _relay = new(_registry.Address);
        var pushed = await _images.PushAsync(_registry.Address, "team/tool:1.0", new() { Username = RegistryServer.User, Password = RegistryServer.Password });
        _reference = pushed.Replace(_registry.Address, _relay.Address, StringComparison.Ordinal);
        Configure(_relay.Address);
    }

    [Theory]
    [InlineData("/manifests/", Unavailable)]
    [InlineData("/manifests/", Reset)]
    [InlineData("/blobs/", Unavailable)]
    public async Task EnsureImageAsync_RegistryFailsTwice_IsPulledAndTheTriesAreShown(string part, string fault)
    {
        var left = 2;
        _relay.Fault = head => head.Contains(part, StringComparison.Ordinal) && Interlocked.Decrement(ref left) >= 0 ? fault : null;
        var progress = new RecordedProgress();
        Assert.Equal(_images.Id, (await _engine.EnsureImageAsync(_reference, PullPolicy.IfNotPresent, progress, Token)).Id);
        Assert.True(left <= 0);
        // The engine itself tries layers again.
        if (part == "/manifests/")
            Assert.Contains(progress.Seen, p => p.Status.StartsWith("trying again in ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EnsureImageAsync_TwoTasksWantIt_PullOnce()
    {
        // The first request is held until both have come.
        var both = new ManualResetEventSlim();
        _relay.Fault = _ =>
        {
            both.Wait(TimeSpan.FromSeconds(10));
            return null;
        };
        var (mine, yours) = (new RecordedProgress(), new RecordedProgress());
        var first = _engine.EnsureImageAsync(_reference, PullPolicy.Always, mine, Token);
        var second = _engine.EnsureImageAsync(_reference, PullPolicy.Always, yours, Token);
        both.Set();
        Assert.Equal((await first).Id, (await second).Id);
        // What else is asked depends on what the engine remembers.
        Assert.Single(_relay.Seen, head => head.StartsWith("HEAD ", StringComparison.Ordinal) && head.Contains("/manifests/1.0", StringComparison.Ordinal));
        Assert.Contains(mine.Seen, p => p.Bytes > 0);
        Assert.Contains(yours.Seen, p => p.Bytes > 0);
    }

    [Fact]
    public async Task EnsureImageAsync_LoginForAnotherRegistry_IsNotShownToThisOne()
    {
        await using var other = new RegistryRelay(_registry.Address);
        var elsewhere = _reference.Replace(_relay.Address, other.Address, StringComparison.Ordinal);
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => _engine.EnsureImageAsync(elsewhere, PullPolicy.Always, null, Token));
        Assert.Equal(FailureReason.ImagePullDenied, failure.Reason);
        Assert.NotEmpty(other.Seen);
        Assert.All(other.Seen, head => Assert.DoesNotContain("Authorization", head, StringComparison.OrdinalIgnoreCase));
        Assert.Empty(_relay.Seen);

        await _engine.EnsureImageAsync(_reference, PullPolicy.Always, null, Token);
        Assert.Contains(_relay.Seen, head => head.Contains("Authorization: Basic", StringComparison.OrdinalIgnoreCase));
    }

    public override async ValueTask DisposeAsync()
    {
        await _images.RemoveAsync(_reference);
        await _images.DisposeAsync();
        await _relay.DisposeAsync();
        await _registry.DisposeAsync();
        await _engine.DisposeAsync();
        _google.Dispose();
        _folder.Delete(recursive: true);
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private void Configure(string registry)
    {
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryServer.User}:{RegistryServer.Password}"));
        File.WriteAllText(Path.Combine(_folder.FullName, "config.json"), $$"""{"auths": {"{{registry}}": {"auth": "{{auth}}"} } }""");
    }
}
