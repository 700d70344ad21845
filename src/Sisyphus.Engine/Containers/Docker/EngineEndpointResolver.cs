using System.Text;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers.Docker;

/// <summary>Finds the engine in the order of the docker CLI: what is given, <c>DOCKER_HOST</c>, <c>DOCKER_CONTEXT</c>, the current context, the platform's default.</summary>
/// <remarks>https://docs.docker.com/reference/cli/docker/#environment-variables and https://docs.docker.com/engine/manage-resources/contexts/</remarks>
internal sealed class EngineEndpointResolver(EngineSurroundings surroundings)
{
    public const string DefaultSocket = "/var/run/docker.sock";
    public const string DefaultPipe = "npipe:////./pipe/docker_engine";

    // The library's own limit; the system's is a little more.
    private const int LongestSocketPath = 91;

    public EngineEndpoint Resolve(string? given)
    {
        if (!string.IsNullOrWhiteSpace(given))
            return FromHost(given.Trim(), "as given");
        if (surroundings.Set("DOCKER_HOST") is { } host)
            return FromHost(host, "DOCKER_HOST");

        var contexts = new DockerContexts(surroundings.ConfigDirectory);
        var (name, origin) = surroundings.Set("DOCKER_CONTEXT") is { } chosen
            ? (chosen, "DOCKER_CONTEXT")
            : (contexts.CurrentName(), contexts.ConfigFile);
        if (name is null or "default")
            return Default();
        var context = contexts.Find(name) ?? throw Unusable(
            $"{origin} names the docker context \"{name}\", but there is none of that name below {contexts.MetaDirectory}. Choose another with 'docker context use', or set DOCKER_HOST.");
        return new(ParseHost(context.Host, $"context \"{name}\"", context.Tls is not null), context.Tls, $"context \"{name}\"");
    }

    private EngineEndpoint FromHost(string host, string origin)
    {
        var verify = surroundings.Set("DOCKER_TLS_VERIFY") is not null;
        var wanted = verify || surroundings.Set("DOCKER_TLS") is not null;
        var uri = ParseHost(host, origin, wanted);
        EngineTls? tls = uri.Scheme switch
        {
            "unix" or "npipe" => null,
            _ when wanted => new(surroundings.Set("DOCKER_CERT_PATH") ?? surroundings.ConfigDirectory, verify),
            "https" => new(surroundings.Set("DOCKER_CERT_PATH"), Verify: true),
            _ => null,
        };
        return new(uri, tls, origin);
    }

    private EngineEndpoint Default()
    {
        if (surroundings.Windows)
            return new(new(DefaultPipe), null, "default");
        // The CLI looks at the first only. The others are where rootless Docker, Docker Desktop, Colima and Podman listen when nobody has set a context.
        var found = Sockets().FirstOrDefault(surroundings.SocketExists) ?? DefaultSocket;
        return new(new("unix://" + found), null, found == DefaultSocket ? "default" : "found where the default socket is absent");
    }

    private IEnumerable<string> Sockets()
    {
        yield return DefaultSocket;
        var runtime = surroundings.Set("XDG_RUNTIME_DIR");
        if (runtime is not null)
            yield return Path.Combine(runtime, "docker.sock");
        yield return Path.Combine(surroundings.Home, ".docker/run/docker.sock");
        yield return Path.Combine(surroundings.Home, ".docker/desktop/docker.sock");
        yield return Path.Combine(surroundings.Home, ".colima/default/docker.sock");
        if (runtime is not null)
            yield return Path.Combine(runtime, "podman/podman.sock");
        yield return "/run/podman/podman.sock";
    }

    private static Uri ParseHost(string host, string origin, bool tls)
    {
        var text = host.Contains("://", StringComparison.Ordinal) ? host : "tcp://" + host;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
            throw Unusable($"The container engine's address \"{host}\" ({origin}) is not a URL such as unix:///var/run/docker.sock or tcp://host:2376.");
        switch (uri.Scheme)
        {
            case "unix" when Encoding.UTF8.GetByteCount(uri.LocalPath) > LongestSocketPath:
                throw Unusable($"The container engine's address \"{host}\" ({origin}) is too long: the path of a unix socket has at most {LongestSocketPath} bytes. Make a symbolic link to it.");
            case "unix" when uri.AbsolutePath.Length > 1 && uri.Host.Length == 0:
            case "npipe":
                return uri;
            case "unix":
                throw Unusable($"The container engine's address \"{host}\" ({origin}) has no absolute path: a unix socket is unix:///path/of/the.sock.");
            case "tcp" or "http" or "https" when uri.Host.Length == 0:
                throw Unusable($"The container engine's address \"{host}\" ({origin}) names no host.");
            case "tcp" when uri.Port < 0:
                return new UriBuilder(uri) { Port = tls ? 2376 : 2375 }.Uri;
            case "tcp" or "http" or "https":
                return uri;
            case "ssh":
                throw Unusable($"The container engine's address \"{WithoutUser(uri)}\" ({origin}) goes through ssh, which is not supported. "
                    + "Forward the socket, for example 'ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST', and set DOCKER_HOST=unix:///tmp/docker.sock.");
            default:
                throw Unusable($"The container engine's address \"{WithoutUser(uri)}\" ({origin}) has the unknown scheme \"{uri.Scheme}\"; known are unix, npipe, tcp, http and https.");
        }
    }

    private static string WithoutUser(Uri uri) => uri.GetComponents(UriComponents.AbsoluteUri & ~UriComponents.UserInfo, UriFormat.UriEscaped);

    private static TaskFailureException Unusable(string message) => new(FailureReason.EngineUnavailable, message);
}
