using System.Runtime.Loader;

using Xunit;

namespace Sisyphus.Tests.ModuleLoading;

/// <summary>Credentials of S3 that services hand out: their clients are in libraries that are loaded only then.</summary>
public sealed class TokenServiceTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("sisyphus-aws-");

    [Theory]
    [InlineData("role", "AWSSDK.SecurityToken", "arn:aws:iam::1:role/lab")]
    [InlineData("people", "AWSSDK.SSO", "the role reader")]
    [InlineData("people", "AWSSDK.SSOOIDC", "the role reader")]
    public void GetObject_ProfileWithAService_LoadsItsClientIntoTheModulesContext(string profile, string library, string says)
    {
        var cache = Directory.CreateDirectory(Path.Combine(_home.FullName, ".aws", "sso", "cache"));
        File.WriteAllText(Path.Combine(_home.FullName, "credentials"), "[user]\naws_access_key_id = A\naws_secret_access_key = B\n");
        File.WriteAllText(Path.Combine(_home.FullName, "config"), """
            [profile role]
            role_arn = arn:aws:iam::1:role/lab
            source_profile = user
            [profile people]
            sso_session = corp
            sso_account_id = 1
            sso_role_name = reader
            [sso-session corp]
            sso_region = us-east-1
            sso_start_url = https://corp.example/start
            """);
        // The file's name is that of the session, as the CLI makes it: SHA-1 of "corp".
        File.WriteAllText(Path.Combine(cache.FullName, "ee0bfd2552fbd840c02cc48b6e823320543c450f.json"), """{"startUrl":"https://corp.example/start","region":"us-east-1","accessToken":"t","expiresAt":"2999-01-01T00:00:00Z"}""");
        using var session = new ModuleSession();

        // Nobody listens there: whoever says so has been asked.
        var error = session.Run($$"""
            Import-Module $manifest
            $set = @{ HOME = '{{_home.FullName}}'; AWS_SHARED_CREDENTIALS_FILE = '{{_home.FullName}}/credentials'; AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:9'; AWS_ENDPOINT_URL_SSO = 'http://127.0.0.1:9'; AWS_ENDPOINT_URL_SSO_OIDC = 'http://127.0.0.1:9' }
            $old = @{}
            foreach ($name in $set.Keys) { $old[$name] = [Environment]::GetEnvironmentVariable($name); [Environment]::SetEnvironmentVariable($name, $set[$name]) }
            try { Get-SisyphusObject -Store 's3:?profile={{profile}}&region=us-east-1' bucket:key } catch { "$($_.FullyQualifiedErrorId) $_" }
            finally { foreach ($name in $old.Keys) { [Environment]::SetEnvironmentVariable($name, $old[$name]) } }
            """);

        var text = Assert.Single(error).ToString();
        Assert.StartsWith("Sisyphus.TransferFailed,", text, StringComparison.Ordinal);
        Assert.Contains(says, text, StringComparison.Ordinal);
        Assert.Contains(AssemblyLoadContext.All.Single(context => context.Name == "Sisyphus").Assemblies, assembly => assembly.GetName().Name == library);
        Assert.DoesNotContain(AssemblyLoadContext.Default.Assemblies, assembly => assembly.GetName().Name == library);
    }

    public void Dispose() => _home.Delete(recursive: true);
}
