using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using Sisyphus.Engine.Containers.Docker;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Docker;

public sealed class EngineEndpointResolverTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("sisyphus-test-");
    private readonly Dictionary<string, string> _variables = [];
    private readonly HashSet<string> _sockets = [EngineEndpointResolver.DefaultSocket];

    [Fact]
    public void Resolve_NothingSet_IsThePlatformsDefault()
    {
        Assert.Equal("unix:///var/run/docker.sock (default)", Resolve().ToString());
        Assert.Equal("npipe:////./pipe/docker_engine", Resolve(windows: true).Display);
    }

    [Fact]
    public void Resolve_NoSocketAnywhere_StaysWithTheDefault()
    {
        _sockets.Clear();
        Assert.Equal("unix:///var/run/docker.sock", Resolve().Display);
    }

    [Fact]
    public void Resolve_DefaultSocketAbsent_TakesRootlessThenDesktopThenPodman()
    {
        _variables["XDG_RUNTIME_DIR"] = "/run/user/7";
        _sockets.Clear();
        _sockets.Add("/run/user/7/podman/podman.sock");
        Assert.Equal("unix:///run/user/7/podman/podman.sock", Resolve().Display);
        _sockets.Add(Path.Combine(_home.FullName, ".docker/run/docker.sock"));
        Assert.Equal($"unix://{_home.FullName}/.docker/run/docker.sock", Resolve().Display);
        _sockets.Add("/run/user/7/docker.sock");
        Assert.Equal("unix:///run/user/7/docker.sock", Resolve().Display);
        _sockets.Add(EngineEndpointResolver.DefaultSocket);
        Assert.Equal("unix:///var/run/docker.sock", Resolve().Display);
    }

    [Fact]
    public void Resolve_Order_IsGivenThenHostThenContextVariableThenCurrentContext()
    {
        Context("current", "tcp://current:1");
        Context("chosen", "tcp://chosen:1");
        Config("""{"currentContext": "current", "auths": {}}""");
        Assert.Equal("tcp://current:1 (context \"current\")", Resolve().ToString());
        _variables["DOCKER_CONTEXT"] = "chosen";
        Assert.Equal("tcp://chosen:1 (context \"chosen\")", Resolve().ToString());
        _variables["DOCKER_HOST"] = "tcp://host:1";
        Assert.Equal("tcp://host:1 (DOCKER_HOST)", Resolve().ToString());
        Assert.Equal("unix:///given.sock (as given)", Resolve("unix:///given.sock").ToString());
    }

    [Theory]
    [InlineData("""{"currentContext": "default"}""")]
    [InlineData("""{"currentContext": ""}""")]
    [InlineData("{}")]
    public void Resolve_NoContextChosen_IsTheDefault(string config)
    {
        Config(config);
        Assert.Equal("unix:///var/run/docker.sock (default)", Resolve().ToString());
    }

    [Fact]
    public void Resolve_ConfigDirectorySet_IsReadInsteadOfHome()
    {
        var other = _home.CreateSubdirectory("other");
        Context("lab", "tcp://lab:1", other.FullName);
        File.WriteAllText(Path.Combine(other.FullName, "config.json"), """{"currentContext": "lab"}""");
        _variables["DOCKER_CONFIG"] = other.FullName;
        Assert.Equal("tcp://lab:1", Resolve().Display);
    }

    [Fact]
    public void Resolve_ContextWithCertificates_UsesItsOwn()
    {
        var id = Context("lab", "tcp://lab:2376");
        var tls = Directory.CreateDirectory(Path.Combine(_home.FullName, ".docker/contexts/tls", id, "docker"));
        _variables["DOCKER_CONTEXT"] = "lab";
        Assert.Equal(new EngineTls(tls.FullName, Verify: true), Resolve().Tls);
    }

    [Theory]
    [InlineData("example.org", "tcp://example.org:2375", false)]
    [InlineData("example.org:99", "tcp://example.org:99", false)]
    [InlineData("tcp://example.org", "tcp://example.org:2376", true)]
    [InlineData("tcp://user:word@example.org:7", "tcp://example.org:7", false)]
    [InlineData("http://example.org:8", "http://example.org:8", false)]
    public void Resolve_TcpHost_HasItsPortAndNoSecret(string host, string display, bool verify)
    {
        _variables["DOCKER_HOST"] = host;
        if (verify)
            _variables["DOCKER_TLS_VERIFY"] = "1";
        Assert.Equal(display, Resolve().Display);
    }

    [Theory]
    [InlineData(null, null, null, false, false)]
    [InlineData("1", null, ".docker", true, true)]
    [InlineData("0", "certs", "certs", true, true)]
    [InlineData("", null, null, false, false)]
    public void Resolve_TlsVariables_AreThoseOfTheCli(string? verify, string? path, string? directory, bool tls, bool verified)
    {
        _variables["DOCKER_HOST"] = "tcp://h:1";
        if (verify is not null)
            _variables["DOCKER_TLS_VERIFY"] = verify;
        if (path is not null)
            _variables["DOCKER_CERT_PATH"] = Path.Combine(_home.FullName, path);
        var found = Resolve().Tls;
        Assert.Equal(tls ? new EngineTls(Path.Combine(_home.FullName, directory!), verified) : null, found);
    }

    [Fact]
    public void Resolve_HttpsHost_IsVerified()
    {
        _variables["DOCKER_HOST"] = "https://h:1";
        Assert.Equal(new EngineTls(null, Verify: true), Resolve().Tls);
    }

    [Theory]
    [InlineData("ssh://user@host", "ssh -nNT -L")]
    [InlineData("ftp://host", "unknown scheme \"ftp\"")]
    [InlineData("unix://relative.sock", "no absolute path")]
    [InlineData("tcp://", "names no host")]
    [InlineData("tcp://a b", "not a URL")]
    [InlineData("unix:///far/too/long/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/the.sock", "at most 91")]
    public void Resolve_UnusableHost_SaysWhatToDo(string host, string expected)
    {
        _variables["DOCKER_HOST"] = host;
        var failure = Assert.Throws<TaskFailureException>(() => Resolve());
        Assert.Equal(FailureReason.EngineUnavailable, failure.Reason);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Contains("DOCKER_HOST", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("user@", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_ContextUnknown_NamesIt()
    {
        _variables["DOCKER_CONTEXT"] = "gone";
        var failure = Assert.Throws<TaskFailureException>(() => Resolve());
        Assert.Contains("\"gone\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains("docker context use", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_SettingsBroken_NamesTheFile()
    {
        Config("{");
        var failure = Assert.Throws<TaskFailureException>(() => Resolve());
        Assert.Contains("config.json", failure.Message, StringComparison.Ordinal);
        Assert.Equal(FailureReason.EngineUnavailable, failure.Reason);
    }

    public void Dispose() => _home.Delete(recursive: true);

    private EngineEndpoint Resolve(string? given = null, bool windows = false) =>
        new EngineEndpointResolver(new(name => _variables.GetValueOrDefault(name), _home.FullName, windows, _sockets.Contains)).Resolve(given);

    private void Config(string json)
    {
        Directory.CreateDirectory(Path.Combine(_home.FullName, ".docker"));
        File.WriteAllText(Path.Combine(_home.FullName, ".docker/config.json"), json);
    }

    private string Context(string name, string host, string? config = null)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        var folder = Directory.CreateDirectory(Path.Combine(config ?? Path.Combine(_home.FullName, ".docker"), "contexts/meta", id));
        File.WriteAllText(Path.Combine(folder.FullName, "meta.json"), JsonSerializer.Serialize(new { Name = name, Endpoints = new { docker = new { Host = host, SkipTLSVerify = false } } }));
        return id;
    }
}
