using System.Text.Json;

namespace Sisyphus.Engine.Containers.Registries;

/// <summary>The docker CLI's settings, as far as they are about logins.</summary>
/// <remarks>https://docs.docker.com/reference/cli/docker/login/#credential-stores</remarks>
internal sealed class DockerConfig
{
    private static readonly JsonSerializerOptions s_lenient = new() { PropertyNameCaseInsensitive = true, ReadCommentHandling = JsonCommentHandling.Skip };

    public Dictionary<string, DockerConfigEntry?>? Auths { get; init; }

    /// <summary>Registry to the end of a helper's name.</summary>
    public Dictionary<string, string>? CredHelpers { get; init; }

    /// <summary>The helper for all other registries.</summary>
    public string? CredsStore { get; init; }

    /// <summary>Empty settings where there is no file.</summary>
    /// <exception cref="RegistryLoginException">The file can't be used.</exception>
    public static async Task<DockerConfig> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return await JsonSerializer.DeserializeAsync<DockerConfig>(stream, s_lenient, cancellationToken).ConfigureAwait(false) ?? new();
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return new();
        }
        catch (JsonException broken)
        {
            // Not the parser's own words: they may quote what stands there.
            throw new RegistryLoginException($"docker's settings in {file} can't be read (line {broken.LineNumber + 1})");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new RegistryLoginException($"docker's settings in {file} can't be read ({unreadable.Message.TrimEnd('.')})", cause: unreadable);
        }
    }

    /// <summary>The helper that is asked for the registry; null for the file's own entries.</summary>
    public string? HelperFor(string host, out bool chosen)
    {
        var helper = CredHelpers?.FirstOrDefault(pair => RegistryHost.IsKeyOf(pair.Key, host)).Value;
        chosen = !string.IsNullOrEmpty(helper);
        return chosen ? helper : string.IsNullOrEmpty(CredsStore) ? null : CredsStore;
    }

    /// <summary>The file's entry; the exact key before an older form of it.</summary>
    public DockerConfigEntry? EntryFor(string host) =>
        Auths?.GetValueOrDefault(RegistryHost.Key(host)) ?? Auths?.FirstOrDefault(pair => RegistryHost.IsKeyOf(pair.Key, host)).Value;
}
