using Sisyphus.Engine.Settings;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Settings;

public sealed class SessionSettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _environment;

    public SessionSettingsTests() =>
        _environment = new() { ["XDG_CONFIG_HOME"] = _folder.Path, ["XDG_DATA_HOME"] = "/d", ["XDG_CACHE_HOME"] = "/c", ["HOME"] = "/h" };

    [Fact]
    public void Resolve_EveryLayer_EarlierWins()
    {
        WriteFile("""{"store": "file:///f", "node": "file", "engine": "unix:///f", "workDirectory": "/f"}""");
        _environment["SISYPHUS_STORE"] = "file:///e";
        _environment["SISYPHUS_NODE"] = "environment";
        _environment["SISYPHUS_BROKER"] = "sqlite:/e/queue.db";

        var settings = Resolve(new() { Store = "file:///p" }, new() { Store = "file:///s", Engine = "unix:///s" });

        Assert.Equal(("file:///p", "environment", "unix:///s", "/f"), (settings.Store, settings.Node, settings.Engine, settings.WorkDirectory));
        Assert.Equal("sqlite:/e/queue.db", settings.Broker);
        Assert.Equal(
            [SettingSource.Environment, SettingSource.Parameter, SettingSource.Session, SettingSource.File, SettingSource.Environment],
            settings.Settings.Select(setting => setting.Source));
        Assert.Equal("SISYPHUS_NODE", settings.Settings.Single(setting => setting.Name == "Node").Origin);
    }

    [Fact]
    public void Resolve_EmptyVariable_IsNotSet()
    {
        _environment["SISYPHUS_STORE"] = "";

        Assert.Equal(SettingSource.Default, Resolve().Settings.Single(setting => setting.Name == "Store").Source);
    }

    [Fact]
    public void Resolve_Mappings_MergeByBucket()
    {
        WriteFile("""{"storeMapping": {"a": "/f/a", "b": "/f/b"}}""");

        var settings = Resolve(session: new() { StoreMapping = new Dictionary<string, string> { ["b"] = "/s/b" } });

        Assert.Equal(["a=/f/a", "b=/s/b"], settings.StoreMapping.Select(entry => $"{entry.Key}={entry.Value}"));
    }

    [Theory]
    [InlineData("amqps://me:secret@host/v", "amqps://***@host/v")]
    [InlineData("https://host/c?sig=secret", "https://host/c?***")]
    [InlineData("file:///a@b", "file:///a@b")]
    public void Resolve_SecretInLocation_IsNotShown(string location, string shown)
    {
        var settings = Resolve(session: new() { Engine = location });

        Assert.Equal(location, settings.Engine);
        Assert.Equal(shown, settings.Settings.Single(setting => setting.Name == "Engine").Value);
    }

    [Theory]
    [InlineData("""{"stroe": "x"}""", "stroe")]
    [InlineData("{\n\"store\": 7}", "(2,")]
    [InlineData("""{"store": "a", "store": "b"}""", "store")]
    [InlineData("[]", "(1,")]
    [InlineData("", "(1,1)")]
    public void Resolve_BadFile_SaysWhere(string text, string expected)
    {
        WriteFile(text);

        var failure = Assert.Throws<InvalidSettingsException>(() => Resolve());

        Assert.StartsWith(Path.Combine(_folder.Path, "sisyphus", "settings.json"), failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private SessionSettings Resolve(SettingsLayer? parameters = null, SettingsLayer? session = null)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The test's places are XDG's.");
        return SessionSettings.Resolve(parameters ?? SettingsLayer.Empty, session ?? SettingsLayer.Empty, _environment.GetValueOrDefault);
    }

    private void WriteFile(string text)
    {
        Directory.CreateDirectory(_folder["sisyphus"]);
        File.WriteAllText(Path.Combine(_folder["sisyphus"], "settings.json"), text);
    }
}
