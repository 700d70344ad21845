using System.Text.Json;

namespace Sisyphus.Engine.Containers.Registries;

/// <summary>Logins that a pipeline passes on in <c>DOCKER_AUTH_CONFIG</c>, as the docker CLI reads them from version 28 on: before the settings' file and its helpers.</summary>
/// <remarks>https://github.com/docker/cli/pull/6008: only <c>auths</c> with <c>auth</c>, found by the very name that the CLI has for the registry; one bad entry, and the whole variable counts for nothing.</remarks>
internal static class DockerAuthVariable
{
    public const string Name = "DOCKER_AUTH_CONFIG";

    private static readonly JsonSerializerOptions s_lenient = new() { PropertyNameCaseInsensitive = true };

    /// <summary>Null: it has no login for the registry.</summary>
    /// <exception cref="RegistryLoginException">It can't be used.</exception>
    public static RegistryCredentials? Find(string? value, string host)
    {
        if (string.IsNullOrWhiteSpace(value))
            return null;
        try
        {
            var logins = (JsonSerializer.Deserialize<Content>(value, s_lenient)?.Auths ?? []).ToDictionary(entry => entry.Key, entry => Read(entry.Key, entry.Value));
            return logins.GetValueOrDefault(RegistryHost.Key(host));
        }
        catch (JsonException)
        {
            // Not the parser's own words: they may quote what stands there.
            throw new RegistryLoginException($"{Name} is no JSON of the form {{\"auths\": {{\"HOST\": {{\"auth\": \"…\"}}}}}}");
        }
    }

    private static RegistryCredentials Read(string key, Entry? entry)
    {
        if (string.IsNullOrEmpty(entry?.Auth))
            throw new RegistryLoginException($"{Name} has no \"auth\" for {key}");
        try
        {
            return new DockerConfigEntry { Auth = entry.Auth }.ToCredentials()!;
        }
        catch (RegistryLoginException)
        {
            throw new RegistryLoginException($"in {Name} the \"auth\" for {key} is not the base64 of user:password");
        }
    }

    private sealed record Content(Dictionary<string, Entry?>? Auths);

    private sealed record Entry(string? Auth);
}
