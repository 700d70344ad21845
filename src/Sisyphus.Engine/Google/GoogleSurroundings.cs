using Google.Apis.Http;

namespace Sisyphus.Engine.Google;

/// <summary>What the look-up of credentials depends on, so that tests can set it.</summary>
/// <param name="Home">The user's home folder; empty where there is none.</param>
/// <param name="Clients">Makes the clients that ask for tokens; null for the library's own.</param>
internal sealed record GoogleSurroundings(Func<string, string?> Variable, string Home, bool Windows, IHttpClientFactory? Clients = null)
{
    public static GoogleSurroundings OfThisProcess() => new(
        Environment.GetEnvironmentVariable,
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
        OperatingSystem.IsWindows());

    /// <summary>The variable's value; null also when it is empty.</summary>
    public string? Set(string variable) => Variable(variable) is { Length: > 0 } value ? value : null;

    /// <summary>Where <c>gcloud auth application-default login</c> leaves the login.</summary>
    public string LoginFile => Path.Combine(
        Set("CLOUDSDK_CONFIG") ?? (Windows ? Path.Combine(Set("APPDATA") ?? Home, "gcloud") : Path.Combine(Home, ".config", "gcloud")),
        "application_default_credentials.json");
}
