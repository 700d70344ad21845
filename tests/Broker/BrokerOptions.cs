namespace Sisyphus.Tests.Broker;

/// <summary>What a <see cref="BrokerServer"/> may be told. The defaults are a stock broker without plugins.</summary>
public sealed record BrokerOptions
{
    /// <summary>Environment variable that points every test to another broker's <c>rabbitmq-server</c>; <c>rabbitmqctl</c> has to be beside it.</summary>
    public const string ServerVariable = "SISYPHUS_TEST_RABBITMQ_SERVER";

    // Not the one on the PATH: as root that one changes to the user rabbitmq, who may not write into our folder.
    private const string DebianServer = "/usr/lib/rabbitmq/bin/rabbitmq-server";

    public string Server { get; init; } = Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } named ? named : DebianServer;

    /// <summary>Further lines of <c>rabbitmq.conf</c>.</summary>
    public IReadOnlyList<string> Config { get; init; } = [];

    /// <summary>Plugins to enable, such as <c>rabbitmq_management</c>.</summary>
    public IReadOnlyList<string> Plugins { get; init; } = [];

    /// <summary>Listen for amqps too, with the server certificate of these; not disposed here.</summary>
    public BrokerCertificates? Tls { get; init; }

    /// <summary>Only clients with a certificate of the same authority get in by amqps.</summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>With no more feature flags than it can't do without: before 3.11 it then has neither quorum queues nor streams.</summary>
    public bool IsBare { get; init; }

    /// <summary>Of the cluster that the server is to join; not disposed here. Null: one of its own.</summary>
    internal PortMapper? Mapper { get; init; }
}
