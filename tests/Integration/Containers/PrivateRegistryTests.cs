using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

using Docker.DotNet.Models;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Google;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Containers.Registries;

using Xunit;

namespace Sisyphus.Tests.Integration.Containers;

/// <summary>A real registry with TLS and passwords. It listens on the address of the engine's bridge, because engines do not verify certificates of loopback addresses.</summary>
public sealed class PrivateRegistryTests : ContainerTest, IAsyncLifetime
{
    private static readonly AuthConfig s_login = new() { Username = RegistryServer.User, Password = RegistryServer.Password };

    private readonly HelperFolder _folder = new();
    private readonly PushedImages _images;
    private readonly GoogleCredentials _google;
    private readonly DockerContainerEngine _engine;
    private RegistryAuthority _authority = null!;
    private RegistryServer _registry = null!;
    private string _reference = "";

    public PrivateRegistryTests(EngineFixture fixture) : base(fixture)
    {
        _images = new(fixture);
        string? Variable(string name) => name switch
        {
            "PATH" => $"{_folder.Path}:/usr/bin:/bin",
            "NO_GCE_CHECK" => "true",
            _ => null,
        };
        _google = new(new(Variable, _folder.Path, Windows: false), TimeProvider.System);
        var logins = new RegistryLogins(new(Variable, _folder.Path, Windows: false) { HelperLimit = TimeSpan.FromSeconds(5) }, _google);
        _engine = EngineFixture.Connect(logins, new() { Budget = TimeSpan.FromSeconds(5), BaseDelay = TimeSpan.FromMilliseconds(200) });
    }

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        var host = await BridgeAddressAsync();
        _authority = new(host);
        _registry = await RegistryServer.StartAsync(protect: true, _authority, host);
        _authority.Trust(_registry.Address);
        _reference = await _images.PushAsync(_registry.Address, "team/tool:1.0", s_login);
    }

    [Fact]
    public async Task EnsureImageAsync_LoginInDockersFile_PullsWithProgressAndDigest()
    {
        Configure(_registry.Address, RegistryServer.Password);
        var progress = new RecordedProgress();
        var pulled = await _engine.EnsureImageAsync(_reference, PullPolicy.IfNotPresent, progress, Token);
        Assert.Equal(_images.Id, pulled.Id);
        Assert.StartsWith($"{_registry.Address}/team/tool@sha256:", pulled.Digest, StringComparison.Ordinal);
        Assert.Contains(progress.Seen, p => p.Bytes > 100_000);

        await _images.RemoveAsync(pulled.Id);
        var byDigest = await _engine.EnsureImageAsync(pulled.Digest!, PullPolicy.IfNotPresent, null, Token);
        Assert.Equal((_images.Id, pulled.Digest), (byDigest.Id, byDigest.Digest));
        await _images.RemoveAsync(pulled.Id);
        var byBoth = await _engine.EnsureImageAsync($"{_reference}@{pulled.Digest!.Split('@')[1]}", PullPolicy.IfNotPresent, null, Token);
        Assert.Equal((_images.Id, pulled.Digest), (byBoth.Id, byBoth.Digest));
    }

    [Fact]
    public async Task EnsureImageAsync_CredentialHelper_IsAskedForTheRegistry()
    {
        _folder.Configure($$"""{"credHelpers": {"{{_registry.Address}}": "lab"} }""");
        _folder.AddHelper("lab", $$"""echo '{"Username":"{{RegistryServer.User}}","Secret":"{{RegistryServer.Password}}"}'""");
        Assert.Equal(_images.Id, (await _engine.EnsureImageAsync(_reference, PullPolicy.IfNotPresent, null, Token)).Id);
        Assert.Equal($"get {_registry.Address}", _folder.Asked);
    }

    [Fact]
    public async Task EnsureImageAsync_WrongPassword_IsDeniedAtOnceAndNamesTheSource()
    {
        Configure(_registry.Address, "mistaken");
        var failure = await FailAsync(_reference, FailureReason.ImagePullDenied);
        Assert.Contains($"Asked with the login for {_registry.Address} in {_folder.ConfigFile}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("mistaken", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureImageAsync_NoLogin_IsDeniedAndSaysWhereItLooked()
    {
        var failure = await FailAsync(_reference, FailureReason.ImagePullDenied);
        Assert.Contains($"there is no login for {_registry.Address} in {_folder.ConfigFile}", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"docker login {_registry.Address}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureImageAsync_HelperFails_IsDeniedAndNamesIt()
    {
        _folder.Configure("""{"credsStore": "lab"}""");
        _folder.AddHelper("lab", "echo secret; exit 1");
        var failure = await FailAsync(_reference, FailureReason.ImagePullDenied);
        Assert.Contains("the credential helper docker-credential-lab failed with exit code 1", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("team/tool:none")]
    [InlineData("team/none:1")]
    public async Task EnsureImageAsync_RegistryDoesNotHaveIt_IsNotFound(string name)
    {
        Configure(_registry.Address, RegistryServer.Password);
        await FailAsync($"{_registry.Address}/{name}", FailureReason.ImageNotFound);
    }

    [Fact]
    public async Task EnsureImageAsync_CertificateOfAnUnknownAuthority_FailsAtOnce()
    {
        var host = IPAddress.Parse(_registry.Address.Split(':')[0]);
        await using var stranger = await RegistryServer.StartAsync(protect: true, _authority, host);
        Configure(stranger.Address, RegistryServer.Password);
        var failure = await FailAsync($"{stranger.Address}/tool:1", FailureReason.ImagePullFailed);
        Assert.Contains("x509", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("tries", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EnsureImageAsync_RegistryStopped_IsTriedUntilTheBudgetEnds()
    {
        Configure(_registry.Address, RegistryServer.Password);
        await _registry.StopAsync();
        var progress = new RecordedProgress();
        var failure = await FailAsync(_reference, FailureReason.ImagePullFailed, progress);
        Assert.Matches("in [0-9]+ tries", failure.Message);
        Assert.Contains(progress.Seen, p => p.Status.StartsWith("trying again in", StringComparison.Ordinal));
    }

    public override async ValueTask DisposeAsync()
    {
        await _images.DisposeAsync();
        await _registry.DisposeAsync();
        _authority.Dispose();
        await _engine.DisposeAsync();
        _google.Dispose();
        _folder.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Asked of the interface: an engine that has just made the network does not tell its gateway before it is started anew.</summary>
    private async Task<IPAddress> BridgeAddressAsync()
    {
        var bridge = await Fixture.Client.Networks.InspectNetworkAsync("bridge", Token);
        var name = bridge.Options["com.docker.network.bridge.name"];
        var addresses = NetworkInterface.GetAllNetworkInterfaces().Single(i => i.Name == name).GetIPProperties().UnicastAddresses;
        return addresses.Select(a => a.Address).First(a => a.AddressFamily == AddressFamily.InterNetwork);
    }

    private void Configure(string registry, string password)
    {
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryServer.User}:{password}"));
        _folder.Configure($$"""{"auths": {"{{registry}}": {"auth": "{{auth}}"} } }""");
    }

    private async Task<TaskFailureException> FailAsync(string reference, FailureReason reason, IProgress<PullProgress>? progress = null)
    {
        var failure = await Assert.ThrowsAsync<TaskFailureException>(() => _engine.EnsureImageAsync(reference, PullPolicy.IfNotPresent, progress, Token));
        Assert.True(reason == failure.Reason, $"{failure.Reason}: {failure.Message}");
        Assert.Contains(reference, failure.Message, StringComparison.Ordinal);
        return failure;
    }
}
