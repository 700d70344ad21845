namespace Sisyphus.Engine.Settings;

/// <summary>The platform's places for a user's files (https://specifications.freedesktop.org/basedir-spec/, on Windows the profile's AppData).</summary>
/// <param name="SettingsFile">Read when it is there.</param>
/// <param name="Store">Root of the embedded store.</param>
/// <param name="Queue">File of the embedded queue.</param>
/// <param name="Work">Workspaces and input cache: may be deleted when no task runs.</param>
public sealed record SettingsPaths(string SettingsFile, string Store, string Queue, string Work)
{
    private const string Folder = "sisyphus";

    public static SettingsPaths FromEnvironment(Func<string, string?> variable)
    {
        var config = Base(variable, "XDG_CONFIG_HOME", ".config", Environment.SpecialFolder.ApplicationData);
        var data = Base(variable, "XDG_DATA_HOME", ".local/share", Environment.SpecialFolder.LocalApplicationData);
        var cache = Base(variable, "XDG_CACHE_HOME", ".cache", Environment.SpecialFolder.LocalApplicationData);
        return new SettingsPaths(
            Path.Combine(config, Folder, "settings.json"),
            Path.Combine(data, Folder, "store"),
            Path.Combine(data, Folder, "queue.db"),
            Path.Combine(cache, Folder, "work"));
    }

    // The specification: a relative path in one of its variables is to be ignored.
    private static string Base(Func<string, string?> variable, string name, string homeFolder, Environment.SpecialFolder windowsFolder)
    {
        if (OperatingSystem.IsWindows())
            return Environment.GetFolderPath(windowsFolder);
        if (variable(name) is { Length: > 0 } value && Path.IsPathFullyQualified(value))
            return value;
        // A service may run without HOME; the user database knows the folder all the same.
        var home = variable("HOME") is { Length: > 0 } set ? set : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.Combine(home.Length > 0 ? home : Path.GetTempPath(), homeFolder);
    }
}
