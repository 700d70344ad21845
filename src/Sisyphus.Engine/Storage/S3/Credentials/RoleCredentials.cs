using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>A role that is assumed with other credentials (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).</summary>
internal sealed class RoleCredentials(TokenServices services, AWSCredentials source, string role, string sessionName, string? externalId) : TemporaryCredentials(services.Parts.Time)
{
    protected override async Task<Session> FetchAsync(CancellationToken cancellationToken)
    {
        var own = await GetAsync(source, cancellationToken).ConfigureAwait(false);
        using AmazonSecurityTokenServiceClient client = services.Tokens(own.UseToken ? new SessionAWSCredentials(own.AccessKey, own.SecretKey, own.Token) : new BasicAWSCredentials(own.AccessKey, own.SecretKey));
        var request = new AssumeRoleRequest { RoleArn = role, RoleSessionName = sessionName, ExternalId = externalId };
        var given = await TokenFailures.CallAsync(() => client.AssumeRoleAsync(request, cancellationToken), $"the role {role} can't be assumed", Advise).ConfigureAwait(false);
        return new Session(given.Credentials.GetCredentials(), TokenFailures.Utc(given.Credentials.Expiration));
    }

    private static string? Advise(AmazonServiceException error) => error.ErrorCode switch
    {
        "AccessDenied" => "the role's trust policy and the caller's own rights (sts:AssumeRole) have to allow it",
        "InvalidClientTokenId" or "SignatureDoesNotMatch" => "check the credentials that it is assumed with",
        "ExpiredToken" or "ExpiredTokenException" => "the credentials that it is assumed with have expired",
        _ => null,
    };
}
