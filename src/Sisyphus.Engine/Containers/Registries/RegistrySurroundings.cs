namespace Sisyphus.Engine.Containers.Registries;

/// <summary>What the look-up of logins depends on, so that tests can set it.</summary>
/// <param name="ConfigDirectory">The docker CLI's folder of settings.</param>
internal sealed record RegistrySurroundings(Func<string, string?> Variable, string ConfigDirectory, bool Windows)
{
    /// <summary>A helper that says nothing for so long is ended.</summary>
    public TimeSpan HelperLimit { get; init; } = TimeSpan.FromSeconds(30);

    public string ConfigFile => Path.Combine(ConfigDirectory, "config.json");
}
