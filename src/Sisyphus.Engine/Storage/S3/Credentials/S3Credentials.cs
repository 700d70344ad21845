using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>Finds credentials as every tool of AWS does (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).</summary>
internal static class S3Credentials
{
    // Its answers name the region of a bucket that is elsewhere.
    private static readonly RegionEndpoint DefaultRegion = RegionEndpoint.USEast1;

    /// <summary>The region that AWS is asked in where the settings name none.</summary>
    public static RegionEndpoint FindRegion(S3Settings settings, StoreParts parts) => settings.Profile is { } name
        ? new AwsProfiles(parts).RegionOf(name) ?? DefaultRegion
        : FallbackRegionFactory.GetRegionEndpoint() ?? DefaultRegion;

    /// <exception cref="TaskFailureException">There are none; says what was looked for. Those that a service hands out are asked for at the first use.</exception>
    public static async Task<LimitedCredentials> FindAsync(S3Settings settings, AmazonS3Config config, StoreParts parts, HttpClient http, CancellationToken cancellationToken)
    {
        if (settings.Profile is null && FromEnvironment(parts) is { } keys)
            return new LimitedCredentials(keys, "The environment", settings, parts);
        var profiles = new AwsProfiles(parts);
        var profile = settings.Profile ?? Set(parts, "AWS_PROFILE");
        var services = new TokenServices(parts, TokenRegion(), http);
        if (settings.Profile is null && Set(parts, "AWS_WEB_IDENTITY_TOKEN_FILE") is { } file && Set(parts, "AWS_ROLE_ARN") is { } role)
            return new LimitedCredentials(new WebIdentityCredentials(services, file, role, SessionName(parts)), "The web identity (AWS_WEB_IDENTITY_TOKEN_FILE)", settings, parts);
        try
        {
            if (profile is not null || profiles.HasCredentials(AwsProfiles.Default))
                return new LimitedCredentials(profiles.Open(profile ?? AwsProfiles.Default, services), $"The profile '{profile ?? AwsProfiles.Default}'", settings, parts);
        }
        catch (CredentialsException failure)
        {
            throw Unusable($"The profile '{profile ?? AwsProfiles.Default}' gives no credentials for {settings.Name}: {failure.Message}. Looked in ~/.aws/credentials and ~/.aws/config.", failure);
        }
        return new LimitedCredentials(await OfTheMachineAsync(settings, config, parts, cancellationToken).ConfigureAwait(false), "The role of the container or the instance", settings, parts);

        // Where the store is no AWS, its region is no place where AWS is.
        RegionEndpoint TokenRegion() =>
            (settings.Endpoint is null && settings.Region is { } region ? RegionEndpoint.GetBySystemName(region) : null)
            ?? profiles.RegionOf(profile ?? AwsProfiles.Default)
            ?? ((Set(parts, "AWS_REGION") ?? Set(parts, "AWS_DEFAULT_REGION")) is { } named ? RegionEndpoint.GetBySystemName(named) : DefaultRegion);
    }

    /// <summary>Null where there are none.</summary>
    public static AWSCredentials? FromEnvironment(StoreParts parts) =>
        Set(parts, "AWS_ACCESS_KEY_ID") is { } id && Set(parts, "AWS_SECRET_ACCESS_KEY") is { } secret ? Fixed(id, secret, Set(parts, "AWS_SESSION_TOKEN")) : null;

    public static AWSCredentials Fixed(string id, string secret, string? token) =>
        string.IsNullOrEmpty(token) ? new BasicAWSCredentials(id, secret) : new SessionAWSCredentials(id, secret, token);

    /// <summary>By which the trail of AWS shows who used a role.</summary>
    public static string SessionName(StoreParts parts)
    {
        if (Set(parts, "AWS_ROLE_SESSION_NAME") is { } named)
            return named;
        var name = $"sisyphus-{string.Concat(Environment.MachineName.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_'))}";
        return name[..Math.Min(64, name.Length)];
    }

    // The SDK tells the container's endpoint and the instance's from each other, and waits for neither for long.
    private static async Task<AWSCredentials> OfTheMachineAsync(S3Settings settings, AmazonS3Config config, StoreParts parts, CancellationToken cancellationToken)
    {
        // Its own for each try: it remembers what it has found.
        using var resolver = new DefaultAWSCredentialsIdentityResolver();
        try
        {
            return await Task.Run(() => resolver.ResolveIdentityAsync(config, cancellationToken), cancellationToken).WaitAsync(parts.Transfers.StallTimeout, parts.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or HttpRequestException)
        {
            throw new TaskFailureException(FailureReason.TransferFailed, $"The role of the container or the instance gives no credentials for {settings.Name}: {e.Message.TrimEnd('.')}.", e);
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or InvalidOperationException or ArgumentException or IOException)
        {
            throw Unusable(
                $"There are no credentials for {settings.Name}. Looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a web identity (AWS_WEB_IDENTITY_TOKEN_FILE), the default profile of ~/.aws/credentials and ~/.aws/config, and the role of the container or the instance.",
                e);
        }
    }

    private static TaskFailureException Unusable(string message, Exception cause) => new(FailureReason.InputDenied, message, cause);

    private static string? Set(StoreParts parts, string name) => parts.Variable(name) is { Length: > 0 } value ? value : null;
}
