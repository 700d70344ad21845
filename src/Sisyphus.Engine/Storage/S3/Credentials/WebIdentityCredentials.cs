using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>A role that is assumed with the token of another service, such as a Kubernetes service account's (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).</summary>
/// <param name="file">Holds the token; read each time, because it is replaced long before it expires.</param>
internal sealed class WebIdentityCredentials(TokenServices services, string file, string role, string sessionName) : TemporaryCredentials(services.Parts.Time)
{
    protected override async Task<Session> FetchAsync(CancellationToken cancellationToken)
    {
        var request = new AssumeRoleWithWebIdentityRequest { RoleArn = role, RoleSessionName = sessionName, WebIdentityToken = await TokenAsync(cancellationToken).ConfigureAwait(false) };
        using AmazonSecurityTokenServiceClient client = services.Tokens(new AnonymousAWSCredentials());
        var given = await TokenFailures.CallAsync(() => client.AssumeRoleWithWebIdentityAsync(request, cancellationToken), $"the role {role} can't be assumed with the token in {file}", Advise).ConfigureAwait(false);
        return new Session(given.Credentials.GetCredentials(), TokenFailures.Utc(given.Credentials.Expiration));
    }

    private async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CredentialsException($"the token file {file} can't be read ({unreadable.Message.TrimEnd('.')})", cause: unreadable);
        }
    }

    private static string? Advise(AmazonServiceException error) => error.ErrorCode switch
    {
        "AccessDenied" => "the role's trust policy has to allow this identity",
        "ExpiredTokenException" or "ExpiredToken" => "the token has expired; whatever writes the file has to renew it",
        "InvalidIdentityToken" => "the account has to know the token's issuer as identity provider, and the token has to be for it",
        _ => null,
    };
}
