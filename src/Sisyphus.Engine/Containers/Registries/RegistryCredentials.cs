namespace Sisyphus.Engine.Containers.Registries;

/// <summary>What a registry is shown. One of password, identity token (OAuth2 refresh token) and registry token (bearer token) is set.</summary>
internal sealed record RegistryCredentials(string? Username, string? Password, string? IdentityToken = null, string? RegistryToken = null)
{
    // The one that a record writes by itself would show the secrets in logs.
    public override string ToString() => nameof(RegistryCredentials);
}
