namespace Sisyphus.Engine.Settings;

/// <summary>Takes each setting from the first layer that gives it and notes which that was.</summary>
internal sealed class LayerResolver(string settingsFile, IReadOnlyList<(SettingSource Source, SettingsLayer Layer)> layers)
{
    private readonly List<Setting> _settings = [];

    public string SettingsFile => settingsFile;

    public IReadOnlyList<Setting> Settings => _settings;

    public string? Take(string name, Func<SettingsLayer, string?> value, string variable = "")
    {
        foreach (var (source, layer) in layers)
        {
            if (value(layer) is not { } found)
                continue;
            Note(name, found, source, variable);
            return found;
        }
        return null;
    }

    /// <summary>Bucket by bucket: a session that redirects one bucket keeps what the file says of the others.</summary>
    public IReadOnlyDictionary<string, string> TakeMapping(string name, Func<SettingsLayer, IReadOnlyDictionary<string, string>?> mapping, string variable)
    {
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (source, layer) in layers)
        {
            foreach (var (bucket, location) in mapping(layer) ?? new Dictionary<string, string>())
            {
                // JSON has a word for none, whatever its reader's types say.
                if (location is null)
                    throw new InvalidSettingsException($"{(Origin(source, variable) is { Length: > 0 } origin ? origin : name)}: the bucket '{bucket}' has no location. Write one such as file:///data/{bucket}, or leave the bucket out.");
                if (result.TryAdd(bucket, location))
                    Note($"{name}.{bucket}", location, source, variable);
            }
        }
        return result;
    }

    private void Note(string name, string value, SettingSource source, string variable) => _settings.Add(new Setting(name, AddressSecrets.Hide(value), source, Origin(source, variable)));

    private string Origin(SettingSource source, string variable) => source switch
    {
        SettingSource.Environment => variable,
        SettingSource.File => settingsFile,
        _ => "",
    };
}
