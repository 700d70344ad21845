namespace Sisyphus.Engine.Storage.Google;

/// <summary>Where the service is, and whether it is to be shown who we are.</summary>
/// <param name="Root">Without a trailing <c>/</c>.</param>
internal sealed record GoogleEndpoint(string Root, bool WantsCredentials)
{
    private const string Service = "https://storage.googleapis.com";
    private const string EmulatorVariable = "STORAGE_EMULATOR_HOST";

    /// <summary>The store as a user would write it.</summary>
    public string Name => Root == Service ? "gs://" : $"gs://?endpoint={Root}";

    /// <summary>Whether an address is this service's, and may have what is secret.</summary>
    public bool Owns(Uri address) => new Uri(Root).GetLeftPart(UriPartial.Authority) == address.GetLeftPart(UriPartial.Authority);

    /// <exception cref="FormatException">An address that is none.</exception>
    public static GoogleEndpoint Find(StoreLocation location, Func<string, string?> variable)
    {
        if (location.Address("endpoint") is { } endpoint)
        {
            // In the clear only to this machine: a token is worth as much as the data.
            if (endpoint.Scheme == "http" && !endpoint.IsLoopback)
                throw new FormatException("The option 'endpoint' of a gs: location has to be https, unless it is on this machine.");
            return new GoogleEndpoint(RootOf(endpoint), !endpoint.IsLoopback);
        }
        if (variable(EmulatorVariable) is not { Length: > 0 } emulator)
            return new GoogleEndpoint(Service, true);
        var text = emulator.Contains("://", StringComparison.Ordinal) ? emulator : "http://" + emulator;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http" or "https", UserInfo.Length: 0 }
            ? new GoogleEndpoint(RootOf(address), false)
            : throw new FormatException($"{EmulatorVariable} has to be host:port, or an address of http or https without a user.");
    }

    private static string RootOf(Uri address) => address.GetLeftPart(UriPartial.Path).TrimEnd('/');
}
