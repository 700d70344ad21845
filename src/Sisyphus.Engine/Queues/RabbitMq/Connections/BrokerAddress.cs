using System.Net;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>Where a broker is and how to speak with it: <c>amqp://[user[:password]@]host[:port][,host2[:port]…][/vhost][?key=value&amp;…]</c>, <c>amqps://</c> for TLS.</summary>
/// <remarks>Forms: https://www.rabbitmq.com/docs/uri-spec, keys https://www.rabbitmq.com/docs/uri-query-parameters; several hosts, <c>connect_timeout</c>, <c>prefix</c> and <c>queues</c> are ours.
/// Two are equal when they say the same, the password included.</remarks>
public sealed record BrokerAddress
{
    public const string Scheme = "amqp";
    public const string TlsScheme = "amqps";
    public const int DefaultPort = 5672;
    public const int DefaultTlsPort = 5671;
    public const string DefaultVirtualHost = "/";
    public const string DefaultPrefix = "sisyphus";
    public static readonly TimeSpan DefaultHeartbeat = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(30);

    internal BrokerAddress()
    {
    }

    /// <summary>At least one.</summary>
    public required IReadOnlyList<BrokerHost> Hosts { get; init => field = value.ToArray(); }
    public string VirtualHost { get; init; } = DefaultVirtualHost;
    public bool UsesTls { get; init; }
    /// <summary>The names of all queues and exchanges begin with it: several fleets can share a virtual host. 1 to 64 of <c>A-Z a-z 0-9 . _ -</c>.</summary>
    public string Prefix { get; init; } = DefaultPrefix;
    public BrokerQueueKind QueueKind { get; init; }
    /// <summary>1 s to 5 min, whole seconds. A peer that is silent for twice as long is taken for dead.</summary>
    public TimeSpan Heartbeat { get; init; } = DefaultHeartbeat;
    /// <summary>Of one attempt to connect, over all hosts and up to the use of a channel; 1 s to 10 min.</summary>
    public TimeSpan ConnectTimeout { get; init; } = DefaultConnectTimeout;
    /// <summary>Null: whom the client certificate names, or the broker's guest.</summary>
    public string? User { get; init; }
    /// <summary>Absolute path: PEM, or PKCS#12 without a password.</summary>
    public string? CertificateFile { get; init; }
    /// <summary>Absolute path of the PEM with the key of <see cref="CertificateFile"/>; null when that has it.</summary>
    public string? KeyFile { get; init; }
    /// <summary>Absolute path of a PEM with the authorities that alone are trusted; null: those of the machine.</summary>
    public string? AuthorityFile { get; init; }
    internal string? Password { get; init; }

    /// <exception cref="FormatException">The message says what is wrong and what is allowed, without a password.</exception>
    public static BrokerAddress Parse(string text) => BrokerAddressText.Parse(text);

    /// <summary>Whether a text begins as an address of a broker does.</summary>
    public static bool IsBroker(string text) =>
        text.StartsWith(Scheme + ":", StringComparison.OrdinalIgnoreCase) || text.StartsWith(TlsScheme + ":", StringComparison.OrdinalIgnoreCase);

    /// <summary>A text that was meant as an address of a broker, to show to anybody.</summary>
    public static string WithoutSecrets(string text) => BrokerAddressText.WithoutSecrets(text);

    /// <exception cref="ArgumentException">The credential has no user name.</exception>
    public BrokerAddress WithCredential(NetworkCredential credential)
    {
        if (string.IsNullOrEmpty(credential.UserName))
            throw new ArgumentException("The credential for the broker has no user name.", nameof(credential));
        // A directory's users may be DOMAIN\name to the broker too.
        var user = credential.Domain.Length > 0 ? $@"{credential.Domain}\{credential.UserName}" : credential.UserName;
        return this with { User = user, Password = credential.Password };
    }

    /// <summary>In one canonical form, defaults left out, that <see cref="Parse"/> understands. Without the password.</summary>
    public override string ToString() => BrokerAddressText.Write(this);

    public bool Equals(BrokerAddress? other) =>
        other is not null && string.Equals(Password, other.Password, StringComparison.Ordinal) && string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());
}
