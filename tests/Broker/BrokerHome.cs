using System.Diagnostics;

namespace Sisyphus.Tests.Broker;

/// <summary>Folder, ports and names of one broker: everything that it would otherwise share with another on this machine.</summary>
internal sealed class BrokerHome
{
    private readonly BrokerOptions _options;
    private readonly int _distributionPort = FreePorts.Next();
    private readonly PortMapper _mapper;

    public BrokerHome(BrokerOptions options, PortMapper mapper)
    {
        (_options, _mapper) = (options, mapper);
        Folder = Directory.CreateTempSubdirectory("sisyphus-broker-").FullName;
        NodeName = $"sisyphus-{Guid.NewGuid().ToString("n")[..12]}@localhost";
        TlsPort = options.Tls is null ? null : FreePorts.Next();
        Write("rabbitmq.conf", string.Join('\n', Config()));
        Write("enabled_plugins", $"[{string.Join(',', options.Plugins)}].\n");
        // In place of the machine's own, which may name another node.
        Write("rabbitmq-env.conf", "");
        // Without the name service the broker starts no resolver processes, which would outlive it when it is killed.
        Write("inetrc", "{lookup, [file]}.\n{host, {127,0,0,1}, [\"localhost\"]}.\n");
        Write(".erlang.cookie", Cookie);
        File.SetUnixFileMode(Path.Combine(Folder, ".erlang.cookie"), UnixFileMode.UserRead);
    }

    public string Folder { get; }
    public string NodeName { get; }
    public string Cookie => _mapper.Cookie;
    public int Port { get; } = FreePorts.Next();
    public int? TlsPort { get; }
    public string OutputPath => Path.Combine(Folder, "output");

    /// <summary>Of the program with the environment that makes it, and what it starts, ours.</summary>
    public ProcessStartInfo Command(string program, params IEnumerable<string> arguments)
    {
        var command = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in Variables())
            command.Environment[name] = value;
        return command;
    }

    /// <summary>The last lines that the broker wrote, for messages.</summary>
    public string LogTail()
    {
        var logs = Path.Combine(Folder, "log");
        var files = Directory.Exists(logs) ? Directory.GetFiles(logs, "*.log").Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
        return string.Join('\n', files.Append(OutputPath).Where(File.Exists).SelectMany(path => File.ReadLines(path).TakeLast(15)));
    }

    private IEnumerable<string> Config()
    {
        yield return $"listeners.tcp.1 = 127.0.0.1:{Port}";
        // The default of 3.x; from 4.0 it is 16 MiB, which keeps the largest poison out.
        yield return "max_message_size = 134217728";
        if (_options.Tls is { } tls)
        {
            yield return $"listeners.ssl.1 = 127.0.0.1:{TlsPort}";
            yield return $"ssl_options.cacertfile = {tls.AuthorityPath}";
            yield return $"ssl_options.certfile = {tls.ServerPath}";
            yield return $"ssl_options.keyfile = {tls.ServerKeyPath}";
            yield return "ssl_options.verify = verify_peer";
            yield return $"ssl_options.fail_if_no_peer_cert = {(_options.RequireClientCertificate ? "true" : "false")}";
        }
        foreach (var line in _options.Config)
            yield return line;
        yield return "";
    }

    private IEnumerable<(string Name, string Value)> Variables()
    {
        string In(string name) => Path.Combine(Folder, name);
        yield return ("HOME", Folder);
        yield return ("ERL_INETRC", In("inetrc"));
        yield return ("ERL_EPMD_PORT", $"{_mapper.Port}");
        yield return ("ERL_EPMD_ADDRESS", "127.0.0.1");
        yield return ("RABBITMQ_NODENAME", NodeName);
        yield return ("RABBITMQ_DIST_PORT", $"{_distributionPort}");
        // rabbitmqctl looks for a free port in this range; the default has eleven, which parallel runs use up.
        yield return ("RABBITMQ_CTL_DIST_PORT_MIN", "35672");
        yield return ("RABBITMQ_CTL_DIST_PORT_MAX", "36671");
        yield return ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+B i -kernel inet_dist_use_interface {127,0,0,1}");
        if (_options.IsBare)
            yield return ("RABBITMQ_FEATURE_FLAGS", "");
        // The server's script then becomes the broker instead of waiting for it: the process we start is the one we stop.
        yield return ("RABBITMQ_ALLOW_INPUT", "true");
        yield return ("RABBITMQ_CONF_ENV_FILE", In("rabbitmq-env.conf"));
        yield return ("RABBITMQ_CONFIG_FILE", In("rabbitmq.conf"));
        yield return ("RABBITMQ_ENABLED_PLUGINS_FILE", In("enabled_plugins"));
        yield return ("RABBITMQ_MNESIA_BASE", In("mnesia"));
        yield return ("RABBITMQ_LOG_BASE", In("log"));
        yield return ("RABBITMQ_GENERATED_CONFIG_DIR", In("generated"));
        yield return ("RABBITMQ_SCHEMA_DIR", In("schema"));
        yield return ("RABBITMQ_PLUGINS_EXPAND_DIR", In("plugins-expand"));
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(Folder, name), text);
}
