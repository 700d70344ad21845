using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.StoreEmulator.Faults;
using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;
using static Sisyphus.Tests.Unit.Storage.StoreAssertions;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Profiles that assume a role with other credentials.</summary>
public sealed class S3RoleTests : S3CredentialsTests
{
    [Fact]
    public async Task Role_OfASourceProfile_IsAssumedOnceInTheProfilesRegion()
    {
        S3.Options.Sessions.Issue();
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\nrole_session_name = me@lab\nregion = us-east-1\n");
        var store = Open("lab");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => store.PutAsync("bucket", $"k{i}", "x")));
        Assert.Equal([new TokenSeen("AssumeRole", Role, S3.Options.AccessKey, "us-east-1", "me@lab")], Tokens.Requests);
        Assert.Equal(8, S3.Count("PutObject"));
    }

    [Fact]
    public async Task Role_InAnotherRegion_IsAskedForThere()
    {
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\nregion = eu-west-3\n");
        // The emulator is of another region and says so, in the service's words.
        var failure = await FailsAsync(FailureReason.InputDenied, () => Open("lab").PutAsync("bucket", "k", "x"));
        Assert.Equal("eu-west-3", Assert.Single(Tokens.Requests).Region);
        Assert.Contains("the region 'eu-west-3' is wrong", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Role_OfARoleWithExternalId_IsAssumedThroughBoth()
    {
        const string Second = "arn:aws:iam::444455556666:role/partner";
        Tokens.Roles[Second] = "ticket-7";
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n[profile partner]\nrole_arn = {Second}\nsource_profile = lab\nexternal_id = ticket-7\n");
        await Open("partner").PutAsync("bucket", "k", "x");
        Assert.Equal([Role, Second], Tokens.Requests.Select(seen => seen.Role));
        Assert.StartsWith("ASIA", Tokens.Requests.Last().SignedBy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Role_OfItsOwnKeys_IsAssumed()
    {
        await File.AppendAllTextAsync(Folder["credentials"], $"[both]\naws_access_key_id = {S3.Options.AccessKey}\naws_secret_access_key = {S3.Options.SecretKey}\nrole_arn = {Role}\nsource_profile = both\n", Token);
        await Open("both").PutAsync("bucket", "k", "x");
        Assert.Equal(1, S3.Options.Sessions.Count);
    }

    [Fact]
    public async Task Role_WithCredentialsOfTheEnvironment_IsAssumed()
    {
        Config($"[profile lab]\nrole_arn = {Role}\ncredential_source = Environment\n");
        Assert.Contains("AWS_ACCESS_KEY_ID", (await FailsAsync(FailureReason.InputDenied, () => Open("lab").PutAsync("bucket", "k", "x"))).Message, StringComparison.Ordinal);
        Environment["AWS_ACCESS_KEY_ID"] = S3.Options.AccessKey;
        Environment["AWS_SECRET_ACCESS_KEY"] = S3.Options.SecretKey;
        await Open("lab").PutAsync("bucket", "k", "x");
        Assert.Equal(1, S3.Options.Sessions.Count);
    }

    [Fact]
    public async Task Profile_OfTheVariable_IsUsed()
    {
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        Environment["AWS_PROFILE"] = "lab";
        await Open(null).PutAsync("bucket", "k", "x");
        Assert.Equal(1, S3.Options.Sessions.Count);
    }

    [Fact]
    public async Task Session_ThatEndsSoon_IsFetchedAnew()
    {
        Tokens.Life = TimeSpan.FromMinutes(2);
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        var store = Open("lab");
        await store.PutAsync("bucket", "k", "x");
        await store.PutAsync("bucket", "k", "x");
        var soon = S3.Options.Sessions.Count;
        Assert.True(soon >= 2, $"{soon} sessions");

        // What lasts is kept.
        Tokens.Life = TimeSpan.FromHours(1);
        await store.PutAsync("bucket", "k", "x");
        var kept = S3.Options.Sessions.Count;
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal(kept, S3.Options.Sessions.Count);
    }

    [Fact]
    public async Task Session_ThatEndsSoonWhileTheServiceIsDown_IsStillUsed()
    {
        Tokens.Life = TimeSpan.FromMinutes(2);
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        var store = Open("lab");
        Tokens.Inject(new Fault("AssumeRole", FaultKind.Unavailable, times: 100, skip: 1));
        for (var i = 0; i < 3; i++)
            await store.PutAsync("bucket", "k", "x");
        Assert.Equal(1, S3.Options.Sessions.Count);
    }

    [Fact]
    public async Task Session_ThatEndsSoonWhileTheServiceIsSilent_IsStillUsed()
    {
        Tokens.Life = TimeSpan.FromMinutes(2);
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        var store = Open("lab", TimeSpan.FromSeconds(2));
        await store.PutAsync("bucket", "k", "x");
        var before = S3.Options.Sessions.Count;
        Tokens.Inject(new Fault("AssumeRole", FaultKind.Stalled, times: 100));
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal(before, S3.Options.Sessions.Count);
    }

    [Fact]
    public async Task Service_InTheClear_IsNotAsked()
    {
        Environment["AWS_ENDPOINT_URL_STS"] = "http://sts.lab:1";
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        await IsRefusedAsync(Open("lab"), "AWS_ENDPOINT_URL_STS has to be https");
    }

    [Fact]
    public async Task Session_EndedByTheService_IsFetchedAnewOnce()
    {
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        var store = Open("lab");
        await store.PutAsync("bucket", "k", "x");
        S3.Options.Sessions.End();
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal(2, Tokens.Requests.Count);
        Assert.Equal(3, S3.Count("PutObject"));
    }

    [Theory]
    [InlineData($"role_arn = {Role}\nsource_profile = user\n", "arn:aws:iam::0:role/other", "trust policy")]
    [InlineData($"role_arn = {Role}\nsource_profile = gone\n", null, "'gone'")]
    [InlineData($"role_arn = {Role}\nsource_profile = broken\n", null, "circle")]
    [InlineData($"role_arn = {Role}\n", null, "source_profile")]
    [InlineData($"role_arn = {Role}\ncredential_source = Magic\n", null, "Ec2InstanceMetadata")]
    [InlineData($"role_arn = {Role}\nsource_profile = user\nmfa_serial = arn:aws:iam::1:mfa/me\n", null, "export-credentials")]
    [InlineData("sso_account_id = 1\nsso_region = us-east-1\n", null, "sso_role_name, sso_start_url")]
    [InlineData("sso_session = gone\nsso_account_id = 1\nsso_role_name = r\n", null, "gone")]
    public async Task Profile_Wrong_SaysWhatIsWrong(string profile, string? allowed, string says)
    {
        if (allowed is not null)
        {
            Tokens.Roles.Clear();
            Tokens.Roles[allowed] = "";
        }
        Config($"[profile broken]\n{profile}");
        await IsRefusedAsync(Open("broken"), "'broken'", says);
    }

    [Fact]
    public async Task Profile_DefaultIsBroken_IsSaidAndNothingElseTried()
    {
        Config("[default]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n");
        await IsRefusedAsync(Open(null), "'default'", "gone");
    }

    [Fact]
    public async Task Role_OfWrongKeys_SaysWhich()
    {
        await File.AppendAllTextAsync(Folder["credentials"], "[wrong]\naws_access_key_id = NOBODYSKEY\naws_secret_access_key = secret-of-nobody\n", Token);
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = wrong\n");
        await IsRefusedAsync(Open("lab"), "'lab'", "check the credentials");
    }

    [Theory]
    [InlineData(FaultKind.ResetBeforeHeaders)]
    [InlineData(FaultKind.InternalError)]
    [InlineData(FaultKind.Unavailable)]
    [InlineData(FaultKind.TooManyRequests)]
    [InlineData(FaultKind.Truncated)]
    [InlineData(FaultKind.ResetInAnswer)]
    [InlineData(FaultKind.AnswerLost)]
    public async Task Service_Troubled_IsAskedAgainAFewTimes(FaultKind kind)
    {
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        Tokens.Inject(new Fault("AssumeRole", kind));
        await Open("lab").PutAsync("bucket", "k", "x");

        Tokens.Inject(new Fault("AssumeRole", kind, times: 100));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => Open("lab").PutAsync("bucket", "k", "x"));
        Assert.True(failure.IsRetryable);
        Assert.Contains("'lab'", failure.Message, StringComparison.Ordinal);
        HasNoSecret(failure);
    }

    [Fact]
    public async Task Service_Silent_IsGivenUpInTime()
    {
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        Tokens.Inject(new Fault("AssumeRole", FaultKind.Stalled, times: 100));
        var failure = await FailsAsync(FailureReason.TransferFailed, () => Open("lab", TimeSpan.FromSeconds(1)).PutAsync("bucket", "k", "x")).WaitAsync(TimeSpan.FromSeconds(20), Token);
        Assert.Contains("'lab' gives no credentials", failure.Message, StringComparison.Ordinal);
        Assert.Contains("within 1 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_Silent_IsLeftAtOnceWhenCanceled()
    {
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        Tokens.Inject(new Fault("AssumeRole", FaultKind.Stalled, times: 100));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var put = Open("lab", TimeSpan.FromMinutes(5)).PutAsync("bucket", "k", new MemoryStream([1]), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put.WaitAsync(TimeSpan.FromSeconds(20), Token));
    }

    [Fact]
    public async Task Service_Unreachable_IsAFailureThatMayPass()
    {
        Environment["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1";
        Config($"[profile lab]\nrole_arn = {Role}\nsource_profile = user\n");
        var failure = await FailsAsync(FailureReason.TransferFailed, () => Open("lab").PutAsync("bucket", "k", "x"));
        Assert.Contains("refused", failure.Message, StringComparison.Ordinal);
        Assert.Contains(Role, failure.Message, StringComparison.Ordinal);
    }
}
