using Sisyphus.Engine.Settings;
using Xunit;

namespace Sisyphus.Tests.Unit.Settings;

public sealed class SettingsPathsTests
{
    [Fact]
    public void FromEnvironment_XdgVariables_AreUsed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The XDG variables mean nothing on Windows.");
        var paths = From(("XDG_CONFIG_HOME", "/c"), ("XDG_DATA_HOME", "/d"), ("XDG_CACHE_HOME", "/e"), ("HOME", "/h"));

        Assert.Equal(new SettingsPaths("/c/sisyphus/settings.json", "/d/sisyphus/store", "/d/sisyphus/queue.db", "/e/sisyphus/work"), paths);
    }

    [Fact]
    public void FromEnvironment_RelativeXdgVariable_IsIgnored()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The XDG variables mean nothing on Windows.");

        Assert.Equal("/h/.local/share/sisyphus/store", From(("XDG_DATA_HOME", "data"), ("HOME", "/h")).Store);
    }

    [Fact]
    public void FromEnvironment_NoHome_IsStillAbsolute()
    {
        var paths = From();

        Assert.All([paths.SettingsFile, paths.Store, paths.Work], path => Assert.True(Path.IsPathFullyQualified(path), path));
    }

    private static SettingsPaths From(params (string Name, string Value)[] variables) =>
        SettingsPaths.FromEnvironment(name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
