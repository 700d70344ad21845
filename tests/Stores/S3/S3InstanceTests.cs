using Sisyphus.Tests.StoreEmulator.S3;
using Xunit;

namespace Sisyphus.Tests.Stores.S3;

/// <summary>The role of an instance. In processes of their own: the SDK reads where the metadata server is once, out of the environment.</summary>
public sealed class S3InstanceTests : S3CredentialsTests
{
    private const string RolesPath = "/latest/meta-data/iam/security-credentials";

    [Fact]
    public async Task Any_InstanceHasARole_IsUsedWithASessionToken()
    {
        await using var instance = await InstanceEmulator.StartAsync(S3.Options);
        var (code, output) = await RunAsync(instance, $"s3:?endpoint={S3.Address}");
        Assert.True(code == 0, $"{output} {string.Join(", ", instance.Requests)}");
        AssertGaveTheRole(instance);
        Assert.Equal(1, S3.Count("PutObject"));
    }

    [Fact]
    public async Task Role_WithTheInstancesCredentials_IsAssumed()
    {
        await using var instance = await InstanceEmulator.StartAsync(S3.Options);
        Config($"[profile lab]\nrole_arn = {Role}\ncredential_source = Ec2InstanceMetadata\nregion = us-east-1\n");
        var (code, output) = await RunAsync(instance, $"s3:?endpoint={S3.Address}&profile=lab");
        Assert.True(code == 0, $"{output} {string.Join(", ", instance.Requests)}");
        AssertGaveTheRole(instance);
        var assumed = Assert.Single(Tokens.Requests);
        Assert.Equal(Role, assumed.Role);
        Assert.StartsWith("ASIA", assumed.SignedBy, StringComparison.Ordinal);
        Assert.Equal(1, S3.Count("PutObject"));
    }

    [Fact]
    public async Task Any_InstanceHasNoRole_SaysWhatWasLookedFor()
    {
        await using var instance = await InstanceEmulator.StartAsync(S3.Options, role: null);
        var (code, output) = await RunAsync(instance, $"s3:?endpoint={S3.Address}");
        Assert.Equal(1, code);
        Assert.Contains("There are no credentials", output, StringComparison.Ordinal);
        Assert.Contains("the role of the container or the instance", output, StringComparison.Ordinal);
        Assert.Contains($"GET {RolesPath} 404", instance.Requests);
        Assert.Equal(0, S3.Count("PutObject"));
    }

    // With a token, which it asks for first; the SDK looks several times before it takes the credentials.
    private static void AssertGaveTheRole(InstanceEmulator instance)
    {
        Assert.Equal("PUT /latest/api/token 200", instance.Requests.First());
        Assert.Contains($"GET {RolesPath}/lab 200", instance.Requests);
        Assert.DoesNotContain(instance.Requests, request => request.EndsWith("401", StringComparison.Ordinal));
    }

    private async Task<(int ExitCode, string Output)> RunAsync(InstanceEmulator instance, string store)
    {
        await File.WriteAllTextAsync(Folder["file"], "x", Token);
        var environment = new Dictionary<string, string>(Environment)
        {
            ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = instance.Address.GetLeftPart(UriPartial.Authority),
            ["AWS_CONFIG_FILE"] = Folder["config"],
        };
        await using var process = new ModuleProcess(Folder, $"Connect-Sisyphus -Store '{store}'; Copy-SisyphusObject '{Folder["file"]}' bucket:k", environment);
        return await process.EndAsync();
    }
}
