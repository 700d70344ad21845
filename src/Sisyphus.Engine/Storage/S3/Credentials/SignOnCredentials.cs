using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials.Internal;
using Amazon.SSO;
using Amazon.SSO.Model;
using Amazon.SSOOIDC;
using Amazon.Util;
using Amazon.Util.Internal;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>A role of IAM Identity Center, with what <c>aws sso login</c> left (https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html). Opens no browser.</summary>
internal sealed class SignOnCredentials(TokenServices services, string profile, CredentialProfileOptions options) : TemporaryCredentials(services.Parts.Time)
{
    private string Remedy => $"run 'aws sso login --profile {profile}'";

    protected override async Task<Session> FetchAsync(CancellationToken cancellationToken)
    {
        var token = await TokenAsync(cancellationToken).ConfigureAwait(false);
        using AmazonSSOClient client = services.SignOn(options.SsoRegion);
        var request = new GetRoleCredentialsRequest { AccountId = options.SsoAccountId, RoleName = options.SsoRoleName, AccessToken = token };
        var given = await TokenFailures.CallAsync(
            () => client.GetRoleCredentialsAsync(request, cancellationToken),
            $"single sign-on gives nothing for the role {options.SsoRoleName} of the account {options.SsoAccountId}",
            Advise).ConfigureAwait(false);
        return new Session(
            new ImmutableCredentials(given.RoleCredentials.AccessKeyId, given.RoleCredentials.SecretAccessKey, given.RoleCredentials.SessionToken),
            DateTimeOffset.FromUnixTimeMilliseconds(given.RoleCredentials.Expiration ?? 0));
    }

    private async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        using AmazonSSOOIDCClient client = services.SignOnTokens(options.SsoRegion);
        // Of the SDK: it knows the files of the CLI, and renews a token that has a refresh token.
        var tokens = new SSOTokenManager(client, new SSOTokenFileCache(CryptoUtilFactory.CryptoInstance, new FileRetriever(), new DirectoryRetriever()));
        try
        {
            var token = await tokens.GetTokenAsync(
                new SSOTokenManagerGetTokenOptions { StartUrl = options.SsoStartUrl, Session = options.SsoSession, Region = options.SsoRegion, CacheFolderLocation = Folder(), SupportsGettingNewToken = false },
                cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            return token.AccessToken;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The SDK makes something else of it.
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception broken) when (TokenFailures.IsPassing(broken))
        {
            throw new CredentialsException("the login is to be renewed, and the service that does it can't be reached or is in trouble", mayPass: true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Without the cause, which may quote the file or the answer: both hold tokens.
            throw new CredentialsException($"nobody is logged in, or the login has expired; {Remedy}");
        }
    }

    // Null for the one that the SDK finds.
    private string? Folder() => services.Parts.Variable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".aws", "sso", "cache") : null;

    private string? Advise(AmazonServiceException error) => error.ErrorCode switch
    {
        "UnauthorizedException" => $"the login has expired or was ended; {Remedy}",
        "ForbiddenException" or "ResourceNotFoundException" => "the user who is logged in has no such role there: check sso_account_id and sso_role_name",
        _ => null,
    };
}
