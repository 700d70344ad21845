namespace Sisyphus.Engine.Containers.Registries;

/// <summary>The registry of a reference, and the names under which settings know it.</summary>
internal static class RegistryHost
{
    public const string DockerHub = "docker.io";

    // The key of the first version of the protocol, under which the CLI keeps logins to this day.
    private const string DockerHubKey = "https://index.docker.io/v1/";

    /// <summary>Host, with port where one is given.</summary>
    /// <remarks>https://github.com/distribution/reference/blob/main/normalize.go: a first part without a dot, a colon, an upper-case letter or <c>localhost</c> is no registry.</remarks>
    public static string Of(string reference)
    {
        var slash = reference.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : reference[..slash];
        if (first.Length == 0 || (first != "localhost" && first.AsSpan().IndexOfAny('.', ':') < 0 && !first.Any(char.IsAsciiLetterUpper)))
            return DockerHub;
        return first is "index.docker.io" ? DockerHub : first;
    }

    /// <summary>How the CLI names the registry to its stores and helpers.</summary>
    public static string Key(string host) => host == DockerHub ? DockerHubKey : host;

    /// <summary>Google's Container Registry and Artifact Registry.</summary>
    public static bool IsGoogle(string host) =>
        host == "gcr.io" || host.EndsWith(".gcr.io", StringComparison.Ordinal) || host.EndsWith(".pkg.dev", StringComparison.Ordinal);

    /// <summary>Whether a key of the CLI's settings means the registry: by its name, or in an old form with scheme or path (<c>https://host/v1/</c>). A port must be the same.</summary>
    public static bool IsKeyOf(string key, string host) =>
        string.Equals(HostOf(key), host == DockerHub ? "index.docker.io" : host, StringComparison.OrdinalIgnoreCase)
        || (host == DockerHub && string.Equals(HostOf(key), DockerHub, StringComparison.OrdinalIgnoreCase));

    private static string HostOf(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? key : key[(scheme + 3)..];
        return rest.Split('/')[0];
    }
}
