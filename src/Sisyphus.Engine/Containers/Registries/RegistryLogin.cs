using Sisyphus.Engine.Google;

namespace Sisyphus.Engine.Containers.Registries;

/// <summary>What the look-up for a registry came to.</summary>
/// <param name="Credentials">Null: the registry is asked without, as the docker CLI does, because most images are public.</param>
/// <param name="Source">With credentials: their source, "the login for HOST in FILE". Without: why there are none, "there is no login for HOST in FILE". No secret, no full stop.</param>
internal sealed record RegistryLogin(RegistryCredentials? Credentials, string Source)
{
    /// <summary>There should have been credentials, but their source failed.</summary>
    public bool Failed { get; init; }

    /// <summary>The source failed in a way that may pass, so a denial says little.</summary>
    public bool MayPass { get; init; }

    /// <summary>The token, where it is Google's.</summary>
    public GoogleToken? Token { get; init; }

    /// <summary>The settings name a source for this very registry, whatever came of it.</summary>
    public bool IsChosen { get; init; }
}
