using System.Diagnostics;
using System.Text;

using Sisyphus.Engine.Containers.Registries;
using Sisyphus.Engine.Google;
using Sisyphus.Tests.Unit.Google;

using Xunit;

namespace Sisyphus.Tests.Unit.Containers.Registries;

public sealed class RegistryLoginsTests : IDisposable
{
    private const string Secret = "hush-hush";

    private readonly HelperFolder _folder = new();
    private readonly TokenServer _tokens = new();
    private readonly Dictionary<string, string> _variables = new() { ["NO_GCE_CHECK"] = "true" };
    private readonly GoogleCredentials _google;

    public RegistryLoginsTests()
    {
        _variables["PATH"] = $"relative:{_folder.Path}:/usr/bin:/bin";
        _google = new(new(_variables.GetValueOrDefault, _folder.Path, Windows: false, new RedirectedClients(_tokens.Address)), TimeProvider.System);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"auths":{"quay.io":{"auth":"AUTH"}}}""", "quay.io")]
    [InlineData("""{"auths":{"https://quay.io":{"auth":"AUTH"}}}""", "quay.io")]
    [InlineData("""{"auths":{"http://quay.io/v1/":{"auth":"AUTH"}}}""", "quay.io")]
    [InlineData("""{"auths":{"host:5000":{"auth":"AUTH"}}}""", "host:5000")]
    [InlineData("""{"auths":{"https://index.docker.io/v1/":{"auth":"AUTH"}}}""", "docker.io")]
    [InlineData("""{"auths":{"docker.io":{"auth":"AUTH"}}}""", "docker.io")]
    [InlineData("""{"auths":{"quay.io":{"username":"user","password":"hush-hush:1"}}}""", "quay.io")]
    [InlineData("""{"auths":{"https://quay.io/v1/":{"auth":"eDp5"},"quay.io":{"auth":"AUTH"}}}""", "quay.io")]
    [InlineData("""{"auths":{"other.io":null,"quay.io":{"auth":"AUTH"}},"HttpHeaders":{"a":"b"},"credsStore":""}""", "quay.io")]
    public async Task FindAsync_EntryInTheFile_IsUsed(string config, string host)
    {
        _folder.Configure(config.Replace("AUTH", Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{Secret}:1")), StringComparison.Ordinal));
        var login = await FindAsync(host);
        Assert.Equal(new("user", Secret + ":1"), login.Credentials);
        Assert.Contains(_folder.ConfigFile, login.Source, StringComparison.Ordinal);
        Assert.False(login.Failed);
        Assert.DoesNotContain(Secret, login.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"auths":{"quay.io":{"auth":"AUTH"}}}""", "quay.io:5000")]
    [InlineData("""{"auths":{"quay.io:5000":{"auth":"AUTH"}}}""", "quay.io")]
    [InlineData("""{"auths":{"quay.io":{"auth":"AUTH"}}}""", "docker.io")]
    [InlineData("""{"auths":{"quay.io":{}}}""", "quay.io")]
    [InlineData("{}", "quay.io")]
    [InlineData("null", "quay.io")]
    [InlineData(null, "quay.io")]
    public async Task FindAsync_NoEntry_SaysWhereItLooked(string? config, string host)
    {
        if (config is not null)
            _folder.Configure(config.Replace("AUTH", Convert.ToBase64String("a:b"u8), StringComparison.Ordinal));
        var login = await FindAsync(host);
        Assert.Null(login.Credentials);
        Assert.Equal($"there is no login for {host} in {_folder.ConfigFile}", login.Source);
        Assert.False(login.Failed);
    }

    [Theory]
    [InlineData("quay.io", "quay.io")]
    [InlineData("host:5000", "host:5000")]
    [InlineData("https://index.docker.io/v1/", "docker.io")]
    [InlineData("europe-docker.pkg.dev", "europe-docker.pkg.dev")]
    public async Task FindAsync_Variable_GoesBeforeFileAndHelper(string key, string host)
    {
        _folder.Configure($$"""{"auths":{"{{host}}":{"auth":"eDp5"} },"credsStore":"test"}""");
        _folder.AddHelper("test", "exit 3");
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{Secret}"));
        _variables["DOCKER_AUTH_CONFIG"] = $$"""{"auths":{"{{key}}":{"auth":"{{auth}}"} },"HttpHeaders":{} }""";
        var login = await FindAsync(host);
        Assert.Equal(new("user", Secret), login.Credentials);
        Assert.Equal($"the login for {host} in DOCKER_AUTH_CONFIG", login.Source);
        Assert.DoesNotContain(Secret, login.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"auths":{}}""")]
    [InlineData("""{"auths":{"other.io":{"auth":"eDp5"}}}""")]
    [InlineData("""{"auths":{"https://quay.io":{"auth":"eDp5"}}}""")]
    public async Task FindAsync_VariableWithoutTheRegistry_LeavesItToTheFile(string variable)
    {
        _variables["DOCKER_AUTH_CONFIG"] = variable;
        _folder.Configure("""{"auths":{"quay.io":{"auth":"YTpi"}}}""");
        Assert.Equal(new("a", "b"), (await FindAsync("quay.io")).Credentials);
        Assert.Equal((null, false, $"there is no login for gcr.example in {_folder.ConfigFile}"), await FindAsync("gcr.example") is var none ? (none.Credentials, none.Failed, none.Source) : default);
    }

    [Theory]
    [InlineData("""{"auths": hush-hush""", "is no JSON")]
    [InlineData("""{"auths":{"quay.io":"hush-hush"}}""", "is no JSON")]
    [InlineData("""{"auths":{"quay.io":{"auth":"hush-hush"}}}""", "quay.io is not the base64")]
    [InlineData("""{"auths":{"quay.io":{"auth":"eDp5"},"other.io":{"username":"hush-hush"}}}""", "no \"auth\" for other.io")]
    [InlineData("""{"auths":{"quay.io":{"auth":"eDp5"}}} {}""", "is no JSON")]
    public async Task FindAsync_BrokenVariable_LeavesItToTheFileAndSaysSo(string variable, string said)
    {
        _variables["DOCKER_AUTH_CONFIG"] = variable;
        var login = await FindAsync("quay.io");
        Assert.Equal((null, true), (login.Credentials, login.Failed));
        Assert.Contains(said, login.Source, StringComparison.Ordinal);
        Assert.Contains(_folder.ConfigFile, login.Source, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", login.Source, StringComparison.Ordinal);

        _folder.Configure("""{"auths":{"quay.io":{"auth":"YTpi"}}}""");
        Assert.Equal(new("a", "b"), (await FindAsync("quay.io")).Credentials);
    }

    [Fact]
    public async Task FindAsync_IdentityToken_GoesBeforeThePassword()
    {
        _folder.Configure("""{"auths":{"quay.io":{"auth":"dXNlcjo=","identitytoken":"hush-hush"}}}""");
        Assert.Equal(new("user", null, IdentityToken: Secret), (await FindAsync("quay.io")).Credentials);
    }

    [Theory]
    [InlineData("""{"auths":{"quay.io":{"auth":"hush-hush"}}}""")]
    [InlineData("""{"auths":{"quay.io":{"auth":"aHVzaC1odXNo"}}}""")]
    [InlineData("""{"auths":{"quay.io":"hush-hush"}}""")]
    [InlineData("""{"auths": hush-hush""")]
    public async Task FindAsync_BrokenFile_GoesOnWithoutAndSaysSo(string config)
    {
        _folder.Configure(config);
        var login = await FindAsync("quay.io");
        Assert.Null(login.Credentials);
        Assert.True(login.Failed);
        Assert.Contains(_folder.ConfigFile, login.Source, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", login.Source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"credHelpers":{"quay.io":"test"},"credsStore":"other"}""", "quay.io", "get quay.io")]
    [InlineData("""{"credsStore":"test","auths":{"quay.io":{}}}""", "quay.io", "get quay.io")]
    [InlineData("""{"credsStore":"test","auths":{"quay.io":{"auth":"eDp5"}}}""", "quay.io", "get quay.io")]
    [InlineData("""{"credsStore":"test"}""", "docker.io", "get https://index.docker.io/v1/")]
    [InlineData("""{"credHelpers":{"docker.io":"test"}}""", "docker.io", "get https://index.docker.io/v1/")]
    [InlineData("""{"credHelpers":{"host:5000":"test"}}""", "host:5000", "get host:5000")]
    public async Task FindAsync_Helper_IsAskedOnItsInput(string config, string host, string asked)
    {
        _folder.Configure(config);
        _folder.AddHelper("test", $$"""echo '{"ServerURL":"x","Username":"user","Secret":"{{Secret}}"}'""");
        var login = await FindAsync(host);
        Assert.Equal(new("user", Secret), login.Credentials);
        Assert.Equal($"the credential helper docker-credential-test for {host}", login.Source);
        Assert.Equal(asked, _folder.Asked);
    }

    [Fact]
    public async Task FindAsync_HelperWithIdentityToken_IsOne()
    {
        _folder.Configure("""{"credsStore":"test"}""");
        _folder.AddHelper("test", $$"""echo '{"Username":"<token>","Secret":"{{Secret}}"}'""");
        Assert.Equal(new(null, null, IdentityToken: Secret), (await FindAsync("quay.io")).Credentials);
    }

    [Fact]
    public async Task FindAsync_HelperHasNone_IsNoFailure()
    {
        _folder.Configure("""{"credsStore":"test"}""");
        _folder.AddHelper("test", "echo 'credentials not found in native keychain'; exit 1");
        var login = await FindAsync("quay.io");
        Assert.Equal((null, false), (login.Credentials, login.Failed));
        Assert.Contains("docker-credential-test", login.Source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo hush-hush; echo hush-hush >&2; exit 3", "exit code 3")]
    [InlineData("echo hush-hush", "not the JSON")]
    [InlineData("""echo '{"Secret":"hush-hush"}'""", "not the JSON")]
    [InlineData("""echo '["hush-hush"]'""", "not the JSON")]
    [InlineData("exec yes hush-hush", "not the JSON")]
    [InlineData("exec yes hush-hush >&2", "did not answer within 2 s", true)]
    [InlineData("sleep 60", "did not answer within 2 s", true)]
    public async Task FindAsync_HelperFails_GoesOnWithoutAndSaysSoWithoutItsWords(string script, string said, bool mayPass = false)
    {
        _folder.Configure("""{"credHelpers":{"quay.io":"test"}}""");
        _folder.AddHelper("test", script);
        var clock = Stopwatch.StartNew();
        var login = await FindAsync("quay.io");
        Assert.Null(login.Credentials);
        Assert.Equal((true, mayPass), (login.Failed, login.MayPass));
        Assert.Contains(said, login.Source, StringComparison.Ordinal);
        Assert.Contains("docker-credential-test", login.Source, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", login.Source, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"{clock.Elapsed}");
    }

    [Theory]
    [InlineData("absent", "not on the PATH")]
    [InlineData("../evil", "names a folder")]
    [InlineData("plain", "can't be started")]
    public async Task FindAsync_HelperThatCannotRun_GoesOnWithoutAndSaysSo(string helper, string said)
    {
        _folder.Configure($$"""{"credsStore":"{{helper}}"}""");
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "docker-credential-plain"), "no program", Token);
        var login = await FindAsync("quay.io");
        Assert.Equal((null, true), (login.Credentials, login.Failed));
        Assert.Contains(said, login.Source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FindAsync_CancelledWhileTheHelperHangs_EndsIt()
    {
        _folder.Configure("""{"credsStore":"test"}""");
        _folder.AddHelper("test", $"echo $$ > '{_folder.Path}/pid'; exec sleep 300");
        using var cancel = new CancellationTokenSource();
        var finding = new RegistryLogins(Surroundings() with { HelperLimit = TimeSpan.FromMinutes(2) }, _google).FindAsync("quay.io", cancel.Token);
        var pid = Path.Combine(_folder.Path, "pid");
        while (!File.Exists(pid) || (await File.ReadAllTextAsync(pid, Token)).Length == 0)
            await Task.Delay(20, Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding);
        var id = int.Parse(await File.ReadAllTextAsync(pid, Token), System.Globalization.CultureInfo.InvariantCulture);
        // Killed, though perhaps not yet buried.
        var left = SpinWait.SpinUntil(() => !File.Exists($"/proc/{id}/cmdline") || File.ReadAllText($"/proc/{id}/cmdline").Length == 0, TimeSpan.FromSeconds(10));
        Assert.True(left);
    }

    [Theory]
    [InlineData("gcr.io")]
    [InlineData("europe-docker.pkg.dev")]
    public async Task FindAsync_GooglesRegistryWithoutEntry_HasTheGoogleLogin(string host)
    {
        WriteGoogleLogin();
        _tokens.GiveTokens();
        _folder.Configure("""{"auths":{"quay.io":{"auth":"eDp5"}}}""");
        var login = await FindAsync(host);
        Assert.Equal(new("oauth2accesstoken", "token-1"), login.Credentials);
        Assert.Contains("application_default_credentials.json", login.Source, StringComparison.Ordinal);
        Assert.Null((await FindAsync("quay.example")).Credentials);

        Assert.True(Logins().Reject(login));
        Assert.Equal("token-2", (await FindAsync(host)).Credentials!.Password);
    }

    [Fact]
    public async Task FindAsync_GooglesRegistryWithEntry_KeepsIt()
    {
        WriteGoogleLogin();
        _tokens.GiveTokens();
        _folder.Configure("""{"auths":{"gcr.io":{"auth":"eDp5"}}}""");
        Assert.Equal(new("x", "y"), (await FindAsync("gcr.io")).Credentials);
        Assert.Empty(_tokens.Seen);
    }

    [Fact]
    public async Task FindAsync_GooglesRegistryAndStoreHasNone_HasTheGoogleLogin()
    {
        WriteGoogleLogin();
        _tokens.GiveTokens();
        _folder.Configure("""{"credsStore":"test"}""");
        _folder.AddHelper("test", "echo 'credentials not found in native keychain'; exit 1");
        Assert.Equal("token-1", (await FindAsync("eu.gcr.io")).Credentials?.Password);
    }

    [Fact]
    public async Task FindAsync_GooglesRegistryWithoutAnything_SaysEverywhereItLooked()
    {
        var login = await FindAsync("gcr.io");
        Assert.Equal((null, false, false), (login.Credentials, login.Failed, login.MayPass));
        Assert.Contains(_folder.ConfigFile, login.Source, StringComparison.Ordinal);
        Assert.Contains("GOOGLE_APPLICATION_CREDENTIALS", login.Source, StringComparison.Ordinal);
        Assert.Contains("gcloud auth application-default login", login.Source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, false)]
    [InlineData(503, true)]
    public async Task FindAsync_GoogleGivesNoToken_SaysSoAndWhetherItMayPass(int status, bool mayPass)
    {
        WriteGoogleLogin();
        _tokens.Answer = _ => (status, """{"error":"invalid_grant"}""");
        var login = await FindAsync("gcr.io");
        Assert.Equal((null, true, mayPass), (login.Credentials, login.Failed, login.MayPass));
    }

    public void Dispose()
    {
        _google.Dispose();
        _tokens.Dispose();
        _folder.Dispose();
    }

    private Task<RegistryLogin> FindAsync(string host) => Logins().FindAsync(host, Token);

    private RegistryLogins Logins() => new(Surroundings(), _google);

    private RegistrySurroundings Surroundings() => new(_variables.GetValueOrDefault, _folder.Path, Windows: false) { HelperLimit = TimeSpan.FromSeconds(2) };

    private void WriteGoogleLogin()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, ".config", "gcloud"));
        File.WriteAllText(Path.Combine(folder.FullName, "application_default_credentials.json"), """{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}""");
    }
}
