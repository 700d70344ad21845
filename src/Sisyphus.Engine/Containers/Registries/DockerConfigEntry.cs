using System.Text;

namespace Sisyphus.Engine.Containers.Registries;

/// <summary>An entry of <c>auths</c>. Empty where the CLI has put the secret into a store.</summary>
internal sealed class DockerConfigEntry
{
    /// <summary>Base64 of user, colon, password.</summary>
    public string? Auth { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
    public string? IdentityToken { get; init; }
    public string? RegistryToken { get; init; }

    /// <summary>Null for an empty entry.</summary>
    /// <exception cref="RegistryLoginException"><c>auth</c> is not in the form.</exception>
    public RegistryCredentials? ToCredentials()
    {
        var (user, password) = string.IsNullOrEmpty(Auth) ? (Username, Password) : Decode(Auth);
        if (!string.IsNullOrEmpty(IdentityToken))
            return new(user, null, IdentityToken);
        if (!string.IsNullOrEmpty(RegistryToken))
            return new(null, null, RegistryToken: RegistryToken);
        return string.IsNullOrEmpty(user) ? null : new(user, password ?? "");
    }

    private static (string User, string Password) Decode(string auth)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(auth));
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                return (text[..colon], text[(colon + 1)..].TrimEnd('\0'));
        }
        catch (FormatException)
        {
            // Said below, without what stands there.
        }
        throw new RegistryLoginException("its \"auth\" is not the base64 of user:password");
    }
}
