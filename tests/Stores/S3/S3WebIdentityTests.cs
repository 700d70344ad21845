using Sisyphus.Tests.StoreEmulator.S3;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>Roles that are assumed with a token in a file, as Kubernetes gives one to its pods.</summary>
public sealed class S3WebIdentityTests : S3CredentialsTests
{
    [Fact]
    public async Task WebIdentity_OfTheEnvironment_IsReadAgainWhenItIsReplaced()
    {
        await File.WriteAllTextAsync(Folder["token"], "first-token\n", Token);
        Tokens.WebTokens["first-token"] = true;
        Environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = Folder["token"];
        Environment["AWS_ROLE_ARN"] = Role;
        Environment["AWS_ROLE_SESSION_NAME"] = "pod-1";
        var store = Open(null);
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal([new TokenSeen("AssumeRoleWithWebIdentity", Role, "", "", "pod-1")], Tokens.Requests);

        Tokens.WebTokens.Clear();
        Tokens.WebTokens["second-token"] = true;
        await File.WriteAllTextAsync(Folder["token"], "second-token", Token);
        S3.Options.Sessions.End();
        await store.PutAsync("bucket", "k", "x");
        Assert.Equal(2, Tokens.Requests.Count);
    }

    [Fact]
    public async Task WebIdentity_OfAProfile_IsUsed()
    {
        await File.WriteAllTextAsync(Folder["token"], "a-token", Token);
        Tokens.WebTokens["a-token"] = true;
        Config($"[profile pod]\nrole_arn = {Role}\nweb_identity_token_file = {Folder["token"]}\n");
        await Open("pod").PutAsync("bucket", "k", "x");
        Assert.Equal(1, S3.Options.Sessions.Count);
    }

    [Theory]
    [InlineData("a-token", false, "renew")]
    [InlineData("a-token", null, "identity provider")]
    [InlineData(null, null, "can't be read")]
    public async Task WebIdentity_Wrong_SaysWhatToDo(string? written, bool? valid, string says)
    {
        if (written is not null)
            await File.WriteAllTextAsync(Folder["token"], written, Token);
        if (valid is { } known)
            Tokens.WebTokens["a-token"] = known;
        Environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = Folder["token"];
        Environment["AWS_ROLE_ARN"] = Role;
        await IsRefusedAsync(Open(null), "AWS_WEB_IDENTITY_TOKEN_FILE", Folder["token"], says);
    }
}
