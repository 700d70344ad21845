using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Profiles of people who log in with aws sso login.</summary>
public sealed class S3SignOnTests : S3CredentialsTests
{
    private const string StartUrl = "https://lab.awsapps.example/start";

    [Theory, InlineData(true), InlineData(false)]
    public async Task SignOn_LoggedIn_GivesTheRole(bool hasSession)
    {
        SignOnProfile(hasSession);
        SignOnFile(hasSession, TimeSpan.FromHours(4));
        Tokens.SignedOn[SignOnToken] = true;
        await Open("people").PutAsync("bucket", "k", "x");
        Assert.Equal(new TokenSeen("GetRoleCredentials", "111122223333/reader", "", "", ""), Assert.Single(Tokens.Requests));
    }

    [Fact]
    public async Task SignOn_WithARefreshToken_IsRenewedAndKept()
    {
        SignOnProfile(hasSession: true);
        SignOnFile(hasSession: true, TimeSpan.FromMinutes(-5), refresh: "refresh-once");
        Tokens.Refreshes["refresh-once"] = "another-login";
        await Open("people").PutAsync("bucket", "k", "x");
        Assert.Equal(["CreateToken", "GetRoleCredentials"], Tokens.Requests.Select(seen => seen.Operation));
        // By the next process, too.
        await Open("people").PutAsync("bucket", "k", "x");
        Assert.Equal(1, Tokens.Requests.Count(seen => seen.Operation == "CreateToken"));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("old")]
    [InlineData("refused")]
    [InlineData("ended")]
    [InlineData("broken")]
    public async Task SignOn_NotLoggedIn_SaysHowToLogInAndSeesIt(string state)
    {
        SignOnProfile(hasSession: true);
        if (state != "none")
            SignOnFile(hasSession: true, state == "ended" ? TimeSpan.FromHours(1) : TimeSpan.FromHours(-1), state == "refused" ? "refresh-unknown" : null);
        if (state == "broken")
            await File.WriteAllTextAsync(Directory.GetFiles(Folder.Path, "*.json", SearchOption.AllDirectories).Single(), $"{{\"accessToken\": \"{SignOnToken}\", oops", Token);
        var store = Open("people");
        await IsRefusedAsync(store, "'people'", "aws sso login --profile people");

        SignOnFile(hasSession: true, TimeSpan.FromHours(1));
        Tokens.SignedOn[SignOnToken] = true;
        await store.PutAsync("bucket", "k", "x");
    }

    [Fact]
    public async Task SignOn_AnotherRole_SaysWhatToCheck()
    {
        Config($"[profile people]\nsso_session = corp\nsso_account_id = 999\nsso_role_name = admin\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {StartUrl}\n");
        SignOnFile(hasSession: true, TimeSpan.FromHours(1));
        Tokens.SignedOn[SignOnToken] = true;
        await IsRefusedAsync(Open("people"), "sso_role_name", "999");
    }

    [Theory]
    [InlineData("CreateToken", FaultKind.Unavailable)]
    [InlineData("CreateToken", FaultKind.ResetBeforeHeaders)]
    [InlineData("CreateToken", FaultKind.Stalled)]
    [InlineData("GetRoleCredentials", FaultKind.Unavailable)]
    [InlineData("GetRoleCredentials", FaultKind.Truncated)]
    [InlineData("GetRoleCredentials", FaultKind.Stalled)]
    public async Task SignOn_ServiceInTrouble_IsAFailureThatMayPass(string operation, FaultKind kind)
    {
        SignOnProfile(hasSession: true);
        SignOnFile(hasSession: true, TimeSpan.FromMinutes(-5), refresh: "refresh-once");
        Tokens.Refreshes["refresh-once"] = "another-login";
        Tokens.Inject(new Fault(operation, kind, times: 100));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => Open("people", TimeSpan.FromSeconds(1)).PutAsync("bucket", "k", "x")).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Contains("'people'", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.IsRetryable);
        HasNoSecret(failure);
    }

    private void SignOnProfile(bool hasSession) => Config(hasSession
        ? $"[profile people]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = reader\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {StartUrl}\nsso_registration_scopes = sso:account:access\n"
        : $"[profile people]\nsso_start_url = {StartUrl}\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = reader\n");

    /// <summary>As the CLI leaves it.</summary>
    private void SignOnFile(bool hasSession, TimeSpan life, string? refresh = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder.Path, ".aws", "sso", "cache")).FullName;
#pragma warning disable CA5350 // The name of the CLI's file.
        var name = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(hasSession ? "corp" : StartUrl)));
#pragma warning restore CA5350
        var login = new Dictionary<string, string>
        {
            ["startUrl"] = StartUrl,
            ["region"] = "us-east-1",
            ["accessToken"] = SignOnToken,
            ["expiresAt"] = DateTime.UtcNow.Add(life).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
        if (refresh is not null)
        {
            login["refreshToken"] = refresh;
            login["clientId"] = "client";
            login["clientSecret"] = "secret-of-the-client";
            login["registrationExpiresAt"] = DateTime.UtcNow.AddDays(9).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        }
        File.WriteAllText(Path.Combine(folder, name + ".json"), JsonSerializer.Serialize(login));
    }
}
