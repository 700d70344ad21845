using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;

namespace Sisyphus.Engine.Storage.S3.Credentials;

/// <summary>The profiles of <c>~/.aws/config</c> and <c>~/.aws/credentials</c>, as they are now (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html).</summary>
internal sealed class AwsProfiles(StoreParts parts)
{
    public const string Default = "default";

    private readonly CredentialProfileStoreChain _files = new(parts.Variable("AWS_SHARED_CREDENTIALS_FILE") is { Length: > 0 } file ? file : null);

    /// <summary>Null where the profile says none, or is not there.</summary>
    public RegionEndpoint? RegionOf(string name)
    {
        try
        {
            return _files.TryGetProfile(name, out var profile) ? profile.Region : null;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            // Said when its credentials are wanted.
            return null;
        }
    }

    /// <summary>The address that the profile sets for all services (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html); null for none.</summary>
    /// <exception cref="FormatException">It sets addresses service by service, which the SDK shows nobody.</exception>
    public string? EndpointOf(string name)
    {
        try
        {
            if (!_files.TryGetProfile(name, out var profile) || profile.IgnoreConfiguredEndpointUrls == true)
                return null;
            if (profile.Services is { Length: > 0 })
                throw new FormatException($"The profile '{name}' sets addresses in a section of services, which is not read here: set the option 'endpoint' or AWS_ENDPOINT_URL_S3, or AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true for AWS itself.");
            return profile.EndpointUrl is { Length: > 0 } address ? address : null;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            // Said when its credentials are wanted.
            return null;
        }
    }

    /// <summary>Whether the profile is there and says anything about credentials.</summary>
    /// <exception cref="CredentialsException"/>
    public bool HasCredentials(string name)
    {
        try
        {
            return _files.TryGetProfile(name, out var profile) && (profile.CanCreateAWSCredentials || IsRole(profile.Options) || IsSignOn(profile.Options));
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            throw new CredentialsException(e.Message.TrimEnd('.'), cause: e);
        }
    }

    /// <exception cref="CredentialsException">Missing or incomplete. No request is made.</exception>
    public AWSCredentials Open(string name, TokenServices services) => Open(name, services, []);

    private AWSCredentials Open(string name, TokenServices services, List<string> seen)
    {
        if (seen.Contains(name))
            throw new CredentialsException($"its source_profile leads in a circle: {string.Join(", ", seen)}, {name}");
        seen.Add(name);
        try
        {
            if (!_files.TryGetProfile(name, out var profile))
                throw new CredentialsException(seen.Count == 1 ? "there is no such profile" : $"there is no profile '{name}', which '{seen[^2]}' names as source_profile");
            if (IsRole(profile.Options))
                return Role(profile, services, seen);
            if (IsSignOn(profile.Options))
                return SignOn(profile, services);
            return AWSCredentialsFactory.GetAWSCredentials(profile, _files, nonCallbackOnly: true);
        }
        catch (Exception broken) when (IsUnreadable(broken))
        {
            throw new CredentialsException(broken.Message.TrimEnd('.'), cause: broken);
        }
    }

    private AWSCredentials Role(CredentialProfile profile, TokenServices services, List<string> seen)
    {
        var options = profile.Options;
        if (options.MfaSerial is { Length: > 0 })
            throw new CredentialsException($"'{profile.Name}' asks for a code of a device (mfa_serial), and nobody can be asked here; let 'aws configure export-credentials --profile {profile.Name}' fill the environment");
        var session = options.RoleSessionName is { Length: > 0 } named ? named : S3Credentials.SessionName(parts);
        if (options.WebIdentityTokenFile is { Length: > 0 } file)
            return new WebIdentityCredentials(services, file, options.RoleArn, session);
        return new RoleCredentials(services, Source(profile, services, seen), options.RoleArn, session, options.ExternalID);
    }

    private AWSCredentials Source(CredentialProfile profile, TokenServices services, List<string> seen)
    {
        var options = profile.Options;
        // A profile may have both the keys and the role that they assume.
        if (options.SourceProfile == profile.Name && options.AccessKey is { Length: > 0 })
            return S3Credentials.Fixed(options.AccessKey, options.SecretKey, options.Token);
        return (options.SourceProfile, options.CredentialSource) switch
        {
            ({ Length: > 0 } other, _) => Open(other, services, seen),
            (_, "Environment") => S3Credentials.FromEnvironment(parts) ?? throw new CredentialsException("it takes its credentials from the environment (credential_source), where AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
            (_, "Ec2InstanceMetadata") => new InstanceCredentials(),
            (_, "EcsContainer") => new GenericContainerCredentials(),
            (_, { Length: > 0 } unknown) => throw new CredentialsException($"'{unknown}' is no credential_source; allowed: Environment, Ec2InstanceMetadata, EcsContainer"),
            _ => throw new CredentialsException($"'{profile.Name}' names a role (role_arn) but nothing to assume it with: source_profile, credential_source or web_identity_token_file"),
        };
    }

    private static SignOnCredentials SignOn(CredentialProfile profile, TokenServices services)
    {
        var options = profile.Options;
        var missing = new (string Key, string? Value)[]
        {
            ("sso_account_id", options.SsoAccountId), ("sso_role_name", options.SsoRoleName), ("sso_region", options.SsoRegion), ("sso_start_url", options.SsoStartUrl),
        }.Where(setting => string.IsNullOrEmpty(setting.Value)).Select(setting => setting.Key).ToArray();
        return missing.Length == 0
            ? new SignOnCredentials(services, profile.Name, options)
            : throw new CredentialsException($"'{profile.Name}' is for single sign-on but lacks {string.Join(", ", missing)}");
    }

    private static bool IsUnreadable(Exception e) => e is AmazonClientException or InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException;

    private static bool IsRole(CredentialProfileOptions options) => options.RoleArn is { Length: > 0 };

    private static bool IsSignOn(CredentialProfileOptions options) =>
        options.SsoSession is { Length: > 0 } || options.SsoStartUrl is { Length: > 0 } || options.SsoAccountId is { Length: > 0 } || options.SsoRoleName is { Length: > 0 };
}
