using Sisyphus.Engine.Storage.S3.Credentials;

namespace Sisyphus.Engine.Storage.S3;

/// <summary>Which service an <c>s3:</c> location names.</summary>
/// <param name="Endpoint">Null for AWS.</param>
/// <param name="Region">As configured; null where the SDK has to find it out.</param>
/// <param name="PathStyle">Buckets are parts of the path and not of the host's name.</param>
/// <param name="Profile">Of <c>~/.aws/config</c> and <c>~/.aws/credentials</c>; null for what the SDK finds, AWS_PROFILE included.</param>
internal sealed record S3Settings(Uri? Endpoint, string? Region, bool PathStyle, string? Profile)
{
    public const string DefaultRegion = "us-east-1";

    /// <exception cref="FormatException"/>
    public static S3Settings Of(StoreLocation location, StoreParts parts)
    {
        if (location.Account.Length > 0)
            throw new FormatException($"'{location}' is no location of an S3 store: write s3: or s3://BUCKET/PREFIX.");
        location.Allow("endpoint", "region", "path-style", "profile");
        var region = location.Option("region") ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION");
        if (region?.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') == false)
            throw new FormatException($"'{region}' is no region: write a name such as eu-central-1.");
        var endpoint = location.Address("endpoint") is { } given ? Safe(given, "The option 'endpoint' of an s3: location") : Configured();
        return new S3Settings(
            endpoint,
            region,
            location.Option("path-style") is null ? endpoint is not null : location.Flag("path-style"),
            location.Option("profile"));

        string? Variable(string name) => parts.Variable(name) is { Length: > 0 } value ? value : null;

        // https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        Uri? Configured()
        {
            if (string.Equals(Variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true", StringComparison.OrdinalIgnoreCase))
                return null;
            foreach (var name in (string[])["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
            {
                if (Variable(name) is { } text)
                    return Parse(text, $"The environment variable {name}");
            }
            var profile = location.Option("profile") ?? Variable("AWS_PROFILE") ?? AwsProfiles.Default;
            return new AwsProfiles(parts).EndpointOf(profile) is { } set ? Parse(set, $"The endpoint_url of the profile '{profile}'") : null;
        }

        static Uri Parse(string text, string what) => Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", UserInfo.Length: 0 }
            ? Safe(address, what)
            : throw new FormatException($"{what} is an address such as https://host:port, without a user.");

        // In the clear only to this machine: the data, and the token of a session, could be read by anybody on the way.
        static Uri Safe(Uri address, string what) => address is { Scheme: "http", IsLoopback: false }
            ? throw new FormatException($"{what} has to be https, unless it is on this machine.")
            : address;
    }

    /// <summary>As a user sees it in messages, and what tells one service from another.</summary>
    public string Name => $"s3://{Endpoint?.Authority}";
}
