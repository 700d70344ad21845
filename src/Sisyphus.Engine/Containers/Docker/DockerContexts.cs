using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>The docker CLI's contexts: <c>contexts/meta/&lt;sha256 of the name&gt;/meta.json</c> and the certificates beside in <c>contexts/tls</c>.</summary>
internal sealed class DockerContexts(string configDirectory)
{
    public string ConfigFile { get; } = Path.Combine(configDirectory, "config.json");
    public string MetaDirectory { get; } = Path.Combine(configDirectory, "contexts", "meta");

    /// <summary><c>currentContext</c> of the CLI's settings; null when not set.</summary>
    public string? CurrentName()
    {
        using var config = Read(ConfigFile);
        return config is not null && Property(config.RootElement, "currentContext") is { ValueKind: JsonValueKind.String } name && name.GetString() is { Length: > 0 } text
            ? text
            : null;
    }

    public DockerContext? Find(string name)
    {
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        using var meta = Read(Path.Combine(MetaDirectory, id, "meta.json"));
        if (meta is null
            || Property(meta.RootElement, "Endpoints") is not { } endpoints
            || Property(endpoints, "docker") is not { } docker
            || Property(docker, "Host") is not { ValueKind: JsonValueKind.String } host)
            return null;
        var skip = Property(docker, "SkipTLSVerify") is { ValueKind: JsonValueKind.True };
        var certificates = Path.Combine(configDirectory, "contexts", "tls", id, "docker");
        var hasCertificates = Directory.Exists(certificates);
        return new(host.GetString()!, hasCertificates || skip ? new(hasCertificates ? certificates : null, !skip) : null);
    }

    private static JsonElement? Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

    private static JsonDocument? Read(string file)
    {
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(file));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TaskFailureException(FailureReason.EngineUnavailable,
                $"The docker CLI's settings in {file}, which name the container engine, can't be read: {unreadable.Message} Mend the file or set DOCKER_HOST.", unreadable);
        }
    }
}

/// <param name="Host">As written there, for example <c>tcp://10.0.0.7:2376</c>.</param>
internal sealed record DockerContext(string Host, EngineTls? Tls);
