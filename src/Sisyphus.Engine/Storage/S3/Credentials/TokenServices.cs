using Amazon;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SSO;
using Amazon.SSOOIDC;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>Clients of the services of AWS that hand out credentials: over the stores' connections, without repetitions of their own.</summary>
/// <param name="region">Of the token service; single sign-on has its own.</param>
internal sealed class TokenServices(StoreParts parts, RegionEndpoint region, HttpClient http)
{
    public StoreParts Parts => parts;

    public AmazonSecurityTokenServiceClient Tokens(AWSCredentials credentials) =>
        new(credentials, Configure(new AmazonSecurityTokenServiceConfig(), "STS", region));

    public AmazonSSOClient SignOn(string signOnRegion) =>
        new(new AnonymousAWSCredentials(), Configure(new AmazonSSOConfig(), "SSO", RegionEndpoint.GetBySystemName(signOnRegion)));

    public AmazonSSOOIDCClient SignOnTokens(string signOnRegion) =>
        new(new AnonymousAWSCredentials(), Configure(new AmazonSSOOIDCConfig(), "SSO_OIDC", RegionEndpoint.GetBySystemName(signOnRegion)));

    /// <param name="service">As https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html names it in variables.</param>
    private T Configure<T>(T config, string service, RegionEndpoint where)
        where T : ClientConfig
    {
        // Repeated by whoever needs the credentials. He gives it a time, too, but the SDK renews logins without his token.
        config.MaxErrorRetry = 0;
        config.MaxStaleConnectionRetries = 0;
        config.Timeout = parts.Transfers.StallTimeout;
        config.HttpClientFactory = new S3HttpClients(http);
        config.RegionEndpoint = where;
        foreach (var name in (string[])[$"AWS_ENDPOINT_URL_{service}", "AWS_ENDPOINT_URL"])
        {
            if (parts.Variable(name) is not { Length: > 0 } text)
                continue;
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0)
                throw new CredentialsException($"the environment variable {name} is no address such as https://host:port, without a user");
            if (address is { Scheme: "http", IsLoopback: false })
                throw new CredentialsException($"the environment variable {name} has to be https, unless it is on this machine");
            config.ServiceURL = address.AbsoluteUri;
            config.AuthenticationRegion = where.SystemName;
            break;
        }
        return config;
    }
}
