namespace Sisyphus.Engine.Containers.Docker;

/// <summary>What the look-up of an engine depends on, so that tests can set it.</summary>
internal sealed record EngineSurroundings(Func<string, string?> Variable, string Home, bool Windows, Func<string, bool> SocketExists)
{
    public static EngineSurroundings OfThisProcess() => new(
        Environment.GetEnvironmentVariable,
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile),
        OperatingSystem.IsWindows(),
        File.Exists);

    /// <summary>The docker CLI's folder of settings.</summary>
    public string ConfigDirectory => Set("DOCKER_CONFIG") ?? Path.Combine(Home, ".docker");

    /// <summary>The variable's value; an empty one counts as absent, as in the docker CLI.</summary>
    public string? Set(string name) => Variable(name) is { Length: > 0 } value ? value : null;
}
