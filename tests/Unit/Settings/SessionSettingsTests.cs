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
            ["Broker Environment", "Engine Session", "Node Environment", "Store Parameter", "TransferConcurrency Default", "TransferMemory Default", "WorkDirectory File"],
            settings.Settings.Select(setting => $"{setting.Name} {setting.Source}").Order(StringComparer.Ordinal));
        Assert.Equal("SISYPHUS_NODE", settings.Settings.Single(setting => setting.Name == "Node").Origin);
    }

    [Fact]
    public void Resolve_EmptyVariable_IsNotSet()
    {
        _environment["SISYPHUS_STORE"] = "";

        Assert.Equal(SettingSource.Default, Resolve().Settings.Single(setting => setting.Name == "Store").Source);
    }

    [Fact]
    public void Resolve_MappingInTheEnvironment_StandsBetweenSessionAndFile()
    {
        WriteFile("""{"storeMapping": {"a": "/f/a", "b": "/f/b", "c": "/f/c"}}""");
        _environment["SISYPHUS_STORE_MAPPING"] = """{"b": "/e/b", "c": "/e/c"}""";

        var settings = Resolve(session: new() { StoreMapping = new Dictionary<string, string> { ["c"] = "/s/c" } });

        Assert.Equal(["a=/f/a", "b=/e/b", "c=/s/c"], settings.StoreMapping.Select(entry => $"{entry.Key}={entry.Value}"));
        Assert.Equal("SISYPHUS_STORE_MAPPING", settings.Settings.Single(setting => setting.Name == "StoreMapping.b").Origin);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Resolve_BucketWithoutLocation_NamesBucketAndOrigin(bool environment)
    {
        if (environment)
            _environment["SISYPHUS_STORE_MAPPING"] = """{"scratch": null}""";
        else
            WriteFile("""{"storeMapping": {"scratch": null}}""");
        var error = Assert.Throws<InvalidSettingsException>(() => Resolve());
        Assert.Contains("'scratch'", error.Message, StringComparison.Ordinal);
        Assert.Contains(environment ? "SISYPHUS_STORE_MAPPING" : _folder.Path, error.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("b=/e/b"), InlineData("[]"), InlineData("""{"b": 1}"""), InlineData("""{"b": "secret", "b": "x"}""")]
    public void Resolve_MappingInTheEnvironmentIsNone_NamesTheVariableAndNotItsValue(string value)
    {
        _environment["SISYPHUS_STORE_MAPPING"] = value;
        var error = Assert.Throws<InvalidSettingsException>(() => Resolve());
        Assert.Contains("SISYPHUS_STORE_MAPPING", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("much", null, "TransferMemory")]
    [InlineData("1MiB", null, "16 MiB")]
    [InlineData(null, 0, "1 to 256")]
    public void Resolve_TransfersOutOfRange_SaysWhichAreAllowed(string? memory, int? concurrency, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidSettingsException>(() => Resolve(session: new() { TransferMemory = memory, TransferConcurrency = concurrency })).Message, StringComparison.Ordinal);

    [Fact]
    public void Resolve_Transfers_ComeFromTheSettings()
    {
        WriteFile("""{"transferMemory": "64MiB", "transferConcurrency": 3, "workDirectory": "/w"}""");
        var transfers = Resolve().Transfers;
        Assert.Equal((64L * 1024 * 1024, 3, "/w/uploads"), (transfers.Memory, transfers.Concurrency, transfers.JournalFolder));
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
