using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sisyphus.Engine.Settings;

/// <summary>Reads the settings file: a JSON object with the keys of <see cref="SettingsLayer"/> in camel case; comments are allowed, unknown keys are not.</summary>
public static class SettingsFile
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>A mapping as an environment variable holds it.</summary>
    /// <exception cref="InvalidSettingsException"/>
    internal static IReadOnlyDictionary<string, string>? ReadMapping(string variable, string? json)
    {
        if (json is null)
            return null;
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(json, Options);
        }
        catch (JsonException e)
        {
            // Not the value, which may hold a secret.
            throw new InvalidSettingsException($"{variable} is no JSON object such as {{\"scratch\": \"file:///data/scratch\"}}: see position {e.BytePositionInLine + 1}.", e);
        }
    }

    /// <returns>An empty layer when there is no file.</returns>
    /// <exception cref="InvalidSettingsException"/>
    public static SettingsLayer Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<SettingsLayer>(File.ReadAllBytes(path), Options) ?? SettingsLayer.Empty;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return SettingsLayer.Empty;
        }
        catch (JsonException e)
        {
            throw new InvalidSettingsException($"{path}({e.LineNumber + 1},{e.BytePositionInLine + 1}): {e.Path ?? "$"}: not the form of a settings file. {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidSettingsException($"The settings file {path} can't be read: {e.Message}", e);
        }
    }
}
