using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using Sisyphus.Engine.Google;

using Xunit;

namespace Sisyphus.Tests.Unit.Google;

public sealed class GoogleCredentialsTests : IDisposable
{
    private const string Nobody = "127.0.0.1:1";

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("sisyphus-google-");
    private readonly TokenServer _server = new();
    private readonly RSA _key = RSA.Create(2048);
    private readonly Dictionary<string, string> _variables = new() { ["GCE_METADATA_HOST"] = Nobody };
    private readonly RedirectedClients _clients;
    private readonly GoogleCredentials _credentials;

    public GoogleCredentialsTests()
    {
        _clients = new(_server.Address);
        _credentials = New(_clients);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string LoginFile => Path.Combine(_home.FullName, ".config", "gcloud", "application_default_credentials.json");

    [Fact]
    public async Task GetTokenAsync_ServiceAccountFile_SignsWithItsKeyAndKeepsTheToken()
    {
        _server.GiveTokens();
        using var credentials = New(null);
        WriteServiceAccount();

        var token = await credentials.GetTokenAsync(Token);
        Assert.Equal(new("token-1", "payer"), token);
        Assert.Equal(token, await credentials.GetTokenAsync(Token));
        Assert.Equal("lab", await credentials.GetProjectIdAsync(Token));

        var request = Assert.Single(_server.Seen);
        Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", request.Form("grant_type"));
        var parts = request.Form("assertion")!.Split('.');
        Assert.True(_key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1])).RootElement;
        Assert.Equal("robot@lab.iam.gserviceaccount.com", claims.GetProperty("iss").GetString());
        Assert.Equal("https://oauth2.googleapis.com/token", claims.GetProperty("aud").GetString());
        var scopes = claims.GetProperty("scope").GetString()!;
        Assert.Contains("https://www.googleapis.com/auth/cloud-platform", scopes, StringComparison.Ordinal);
        Assert.Contains("https://www.googleapis.com/auth/devstorage.read_write", scopes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_LoginOfGcloud_SendsItsRefreshToken()
    {
        _server.GiveTokens();
        WriteLogin();
        _variables["GOOGLE_CLOUD_PROJECT"] = "chosen";
        Assert.Equal(new("token-1", "payer"), await _credentials.GetTokenAsync(Token));
        Assert.Equal("oauth2.googleapis.com", _clients.Wanted!.Host);
        var request = Assert.Single(_server.Seen);
        Assert.Equal(("refresh_token", "the-refresh"), (request.Form("grant_type"), request.Form("refresh_token")));
        Assert.Equal("chosen", await _credentials.GetProjectIdAsync(Token));
        Assert.Equal(LoginFile, _credentials.Source);
    }

    [Fact]
    public async Task GetTokenAsync_QuotaProjectInTheEnvironment_Wins()
    {
        _server.GiveTokens();
        WriteLogin();
        _variables["GOOGLE_CLOUD_QUOTA_PROJECT"] = "other";
        Assert.Equal("other", (await _credentials.GetTokenAsync(Token)).QuotaProject);
    }

    [Fact]
    public async Task GetTokenAsync_ImpersonatedServiceAccount_AsksWithTheSourcesToken()
    {
        _server.Answer = request => request.Url.AbsolutePath.EndsWith(":generateAccessToken", StringComparison.Ordinal)
            ? (200, $$"""{"accessToken":"impersonated","expireTime":"{{DateTime.UtcNow.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}}"}""")
            : (200, """{"access_token":"own","expires_in":3600,"token_type":"Bearer"}""");
        Write(LoginFile, new
        {
            type = "impersonated_service_account",
            service_account_impersonation_url = $"{_server.Url}/v1/projects/-/serviceAccounts/robot@lab.iam.gserviceaccount.com:generateAccessToken",
            source_credentials = ServiceAccount(),
        });
        using var credentials = New(null);
        Assert.Equal("impersonated", (await credentials.GetTokenAsync(Token)).AccessToken);
        var last = _server.Seen.Last();
        Assert.Equal("Bearer own", last.Headers["Authorization"]);
        Assert.Contains("https://www.googleapis.com/auth/cloud-platform", last.Json().GetProperty("scope").EnumerateArray().Select(s => s.GetString()));
    }

    [Fact]
    public async Task GetTokenAsync_ImpersonationNotAllowed_SaysWhatGoogleSaid()
    {
        _server.Answer = request => request.Url.AbsolutePath.EndsWith(":generateAccessToken", StringComparison.Ordinal)
            ? (403, """{"error":{"code":403,"message":"Permission 'iam.serviceAccounts.getAccessToken' denied","status":"PERMISSION_DENIED"}}""")
            : (200, """{"access_token":"own","expires_in":3600,"token_type":"Bearer"}""");
        Write(LoginFile, new
        {
            type = "impersonated_service_account",
            service_account_impersonation_url = $"{_server.Url}/v1/projects/-/serviceAccounts/robot@lab.iam.gserviceaccount.com:generateAccessToken",
            source_credentials = ServiceAccount(),
        });
        using var credentials = New(null);
        Assert.Contains("403", (await FailAsync(credentials, GoogleCredentialsError.Unusable)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_WorkloadIdentityFromAFile_ExchangesTheSubjectToken()
    {
        _server.Answer = _ => (200, """{"access_token":"federated","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}""");
        var subject = Path.Combine(_home.FullName, "subject");
        await File.WriteAllTextAsync(subject, "the-subject", Token);
        _variables["GOOGLE_APPLICATION_CREDENTIALS"] = Write(Path.Combine(_home.FullName, "external.json"), new
        {
            type = "external_account",
            audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            subject_token_type = "urn:ietf:params:oauth:token-type:jwt",
            token_url = $"{_server.Url}/sts",
            credential_source = new { file = subject },
        });
        using var credentials = New(null);
        Assert.Equal("federated", (await credentials.GetTokenAsync(Token)).AccessToken);
        Assert.Equal("the-subject", Assert.Single(_server.Seen).Form("subject_token"));

        File.Delete(subject);
        credentials.Invalidate();
        var failure = await FailAsync(credentials, GoogleCredentialsError.Unusable);
        Assert.Contains(subject, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_MetadataServer_GivesTokenAndProject()
    {
        _server.Answer = request => request.Url.AbsolutePath switch
        {
            "/" => (200, "computeMetadata/"),
            "/computeMetadata/v1/project/project-id" => (200, "the-machines"),
            "/computeMetadata/v1/instance/service-accounts/default/token" when request.Headers["Metadata-Flavor"] == "Google" => (200, """{"access_token":"machine","expires_in":3599,"token_type":"Bearer"}"""),
            _ => (404, "{}"),
        };
        _variables["GCE_METADATA_HOST"] = _server.Address;
        using var credentials = New(null);
        Assert.Equal(new("machine", null), await credentials.GetTokenAsync(Token));
        Assert.Equal("the-machines", await credentials.GetProjectIdAsync(Token));
    }

    [Fact]
    public async Task GetTokenAsync_TokenAboutToExpire_IsRefreshed()
    {
        _server.GiveTokens(seconds: 1);
        WriteLogin();
        Assert.Equal("token-1", (await _credentials.GetTokenAsync(Token)).AccessToken);
        Assert.Equal("token-2", (await _credentials.GetTokenAsync(Token)).AccessToken);
    }

    [Fact]
    public async Task Invalidate_ManyWithTheRefusedToken_AskOnceForANewOne()
    {
        _server.GiveTokens();
        WriteLogin();
        var refused = await _credentials.GetTokenAsync(Token);
        _credentials.Invalidate(refused);
        var renewed = await _credentials.GetTokenAsync(Token);
        _credentials.Invalidate(refused);
        Assert.Equal(renewed, await _credentials.GetTokenAsync(Token));
        Assert.Equal("token-2", renewed.AccessToken);
    }

    [Fact]
    public async Task GetTokenAsync_LoginExpired_SaysSoAndANewLoginIsSeen()
    {
        _server.Answer = _ => (400, """{"error":"invalid_grant","error_description":"Token has been expired or revoked."}""");
        WriteLogin();
        var failure = await FailAsync(_credentials, GoogleCredentialsError.Unusable);
        Assert.Contains("has expired", failure.Message, StringComparison.Ordinal);
        Assert.Contains("gcloud auth application-default login", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("the-refresh", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hush", failure.ToString(), StringComparison.Ordinal);

        _server.GiveTokens();
        WriteLogin("the-new-refresh");
        Assert.Equal("token-1", (await _credentials.GetTokenAsync(Token)).AccessToken);
        Assert.Equal("the-new-refresh", _server.Seen.Last().Form("refresh_token"));
    }

    [Fact]
    public async Task GetTokenAsync_VariableNamesAnotherFile_IsSeenAtTheNextUse()
    {
        _server.GiveTokens();
        WriteLogin();
        await _credentials.GetTokenAsync(Token);
        var other = Write(Path.Combine(_home.FullName, "other.json"), new { type = "authorized_user", client_id = "client", client_secret = "hush", refresh_token = "the-other" });
        _variables["GOOGLE_APPLICATION_CREDENTIALS"] = other;
        await _credentials.GetTokenAsync(Token);
        await _credentials.GetTokenAsync(Token);
        _variables.Remove("GOOGLE_APPLICATION_CREDENTIALS");
        await _credentials.GetTokenAsync(Token);
        Assert.Equal(["the-refresh", "the-other", "the-refresh"], _server.Seen.Select(request => request.Form("refresh_token")));

        _variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/nowhere/key.json";
        Assert.Contains("/nowhere/key.json", (await FailAsync(_credentials, GoogleCredentialsError.Unusable)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_FileIsWrittenAnew_IsSeenAsSoonAsItIsWhole()
    {
        _server.GiveTokens();
        WriteLogin();
        var first = await _credentials.GetTokenAsync(Token);
        await File.WriteAllTextAsync(LoginFile, """{"type": "authorized_us""", Token);
        Assert.Equal(first, await _credentials.GetTokenAsync(Token));
        File.Delete(LoginFile);
        Assert.Equal(first, await _credentials.GetTokenAsync(Token));

        WriteLogin("the-new-refresh");
        Assert.NotEqual(first, await _credentials.GetTokenAsync(Token));
        Assert.Equal("the-new-refresh", _server.Seen.Last().Form("refresh_token"));
    }

    [Fact]
    public async Task GetTokenAsync_LoginAfterNone_IsSeenAtOnce()
    {
        _server.GiveTokens();
        await FailAsync(_credentials, GoogleCredentialsError.Missing);
        WriteLogin();
        Assert.Equal("token-1", (await _credentials.GetTokenAsync(Token)).AccessToken);
    }

    [Fact]
    public async Task GetTokenAsync_KeyRefused_NamesClockAndKey()
    {
        _server.Answer = _ => (400, """{"error":"invalid_grant","error_description":"Invalid JWT Signature."}""");
        WriteServiceAccount();
        using var credentials = New(null);
        var failure = await FailAsync(credentials, GoogleCredentialsError.Unusable);
        Assert.Contains("Invalid JWT Signature", failure.Message, StringComparison.Ordinal);
        Assert.Contains("clock", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_NobodyThere_IsUnreachable()
    {
        WriteServiceAccount($"http://{Nobody}/token");
        using var credentials = New(null);
        await FailAsync(credentials, GoogleCredentialsError.Unreachable);
    }

    [Fact]
    public async Task GetTokenAsync_TokenServerOverloaded_IsUnreachable()
    {
        _server.Answer = _ => (500, "<html>");
        WriteServiceAccount();
        using var credentials = New(null);
        await FailAsync(credentials, GoogleCredentialsError.Unreachable);
    }

    [Fact]
    public async Task GetTokenAsync_NoCredentials_SaysWhereItLookedAndWhatToDo()
    {
        var failure = await FailAsync(_credentials, GoogleCredentialsError.Missing);
        Assert.Contains("GOOGLE_APPLICATION_CREDENTIALS", failure.Message, StringComparison.Ordinal);
        Assert.Contains(LoginFile, failure.Message, StringComparison.Ordinal);
        Assert.Contains("gcloud auth application-default login", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_MetadataAddressIsSilent_GivesUpWithinSeconds()
    {
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        _variables["GCE_METADATA_HOST"] = silent.LocalEndpoint.ToString()!;
        using var credentials = New(null);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await FailAsync(credentials, GoogleCredentialsError.Missing);
        var first = clock.Elapsed;
        Assert.InRange(first, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        // And nobody asks again at once.
        clock.Restart();
        await FailAsync(credentials, GoogleCredentialsError.Missing);
        Assert.True(clock.Elapsed < first / 2, $"{clock.Elapsed} after {first}");
    }

    [Theory]
    [InlineData("""{"type":"service_account","client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"}""")]
    [InlineData("""{"type":"service_account" "secret" """)]
    [InlineData("""{"type":"authorized_user","client_secret":"c2VjcmV0"}""")]
    [InlineData("""{"type":"unheard_of","key":"c2VjcmV0"}""")]
    [InlineData("""{"key":"c2VjcmV0"}""")]
    [InlineData("""["c2VjcmV0"]""")]
    [InlineData("")]
    public async Task GetTokenAsync_BrokenFile_NamesItAndNothingOfItsContent(string content)
    {
        var file = Path.Combine(_home.FullName, "broken.json");
        await File.WriteAllTextAsync(file, content, Token);
        _variables["GOOGLE_APPLICATION_CREDENTIALS"] = file;
        var failure = await FailAsync(_credentials, GoogleCredentialsError.Unusable);
        Assert.Contains(file, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString().Replace("client_secret", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("c2VjcmV0", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetTokenAsync_VariableNamesNoFile_SaysSo()
    {
        _variables["GOOGLE_APPLICATION_CREDENTIALS"] = "/nowhere/key.json";
        Assert.Contains("/nowhere/key.json", (await FailAsync(_credentials, GoogleCredentialsError.Unusable)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_OfAToken_HidesIt() =>
        Assert.DoesNotContain("hush", new GoogleToken("hush", "p").ToString(), StringComparison.Ordinal);

    public void Dispose()
    {
        _credentials.Dispose();
        _server.Dispose();
        _key.Dispose();
        _home.Delete(recursive: true);
    }

    private GoogleCredentials New(RedirectedClients? clients) =>
        new(new(_variables.GetValueOrDefault, _home.FullName, Windows: false, clients), TimeProvider.System);

    private void WriteServiceAccount(string? tokenUri = null) =>
        _variables["GOOGLE_APPLICATION_CREDENTIALS"] = Write(Path.Combine(_home.FullName, "key.json"), ServiceAccount(tokenUri));

    private object ServiceAccount(string? tokenUri = null) => new
    {
        type = "service_account",
        project_id = "lab",
        quota_project_id = "payer",
        private_key_id = "k1",
        private_key = _key.ExportPkcs8PrivateKeyPem(),
        client_email = "robot@lab.iam.gserviceaccount.com",
        token_uri = tokenUri ?? $"{_server.Url}/token",
    };

    private void WriteLogin(string refresh = "the-refresh") =>
        Write(LoginFile, new { type = "authorized_user", client_id = "client", client_secret = "hush", refresh_token = refresh, quota_project_id = "payer" });

    private static string Write(string file, object content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, JsonSerializer.Serialize(content));
        return file;
    }

    private static async Task<GoogleCredentialsException> FailAsync(GoogleCredentials credentials, GoogleCredentialsError error)
    {
        var failure = await Assert.ThrowsAsync<GoogleCredentialsException>(() => credentials.GetTokenAsync(Token).AsTask());
        Assert.True(error == failure.Error, $"{failure.Error}: {failure.Message}");
        return failure;
    }
}
