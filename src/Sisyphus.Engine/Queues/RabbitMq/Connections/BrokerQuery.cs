using System.Globalization;
using System.Text.RegularExpressions;

using Sisyphus.Engine.Tasks;
using Sisyphus.Engine.Tasks.Reading;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>The part of a broker's address after the question mark.</summary>
internal static partial class BrokerQuery
{
    /// <summary>In canonical order. The specification's connection_timeout is the same as ours but for its unit.</summary>
    private static readonly string[] Keys = ["heartbeat", "connect_timeout", "connection_timeout", "prefix", "queues", "cacertfile", "certfile", "keyfile"];

    /// <summary>What other clients call ours, or have and we do not.</summary>
    private static readonly Dictionary<string, string> Advice = new(StringComparer.OrdinalIgnoreCase)
    {
        ["cafile"] = "Meant: cacertfile?",
        ["ca_certs"] = "Meant: cacertfile?",
        ["timeout"] = "Meant: connect_timeout?",
        ["vhost"] = "The virtual host stands after the host: amqp://host/vhost.",
        ["user"] = "The user name stands before the host: amqp://user@host.",
        ["username"] = "The user name stands before the host: amqp://user@host.",
        ["password"] = "Give the password with -Credential.",
        ["verify"] = "The broker's certificate is always verified; cacertfile names an authority of your own.",
        ["auth_mechanism"] = "A client certificate without a user name logs in by itself where the broker has EXTERNAL.",
        ["server_name_indication"] = "The certificate has to be for the name in the address.",
    };

    public static BrokerAddress Apply(BrokerAddress address, string query)
    {
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.IndexOf('=', StringComparison.Ordinal) is var at and >= 0 ? (pair[..at], pair[(at + 1)..]) : (pair, "");
            if (!Keys.Contains(key))
                throw new FormatException($"The address of the broker has the unknown key '{key}'. {Meant(key)}Allowed: {string.Join(", ", Keys)}.");
            if (!given.Add(key == "connection_timeout" ? "connect_timeout" : key))
                throw new FormatException($"The address of the broker has the key '{key}' twice{(key.EndsWith("_timeout", StringComparison.Ordinal) ? " (connect_timeout and connection_timeout are one)" : "")}. Leave one.");
            address = With(address, key, BrokerAddressText.Decode(value, key));
        }
        if (address.KeyFile is not null && address.CertificateFile is null)
            throw new FormatException("The address of the broker has a keyfile without a certfile. Name the certificate that the key belongs to.");
        return address;
    }

    public static string Write(BrokerAddress address)
    {
        (string Key, string? Value)[] pairs =
        [
            ("heartbeat", address.Heartbeat == BrokerAddress.DefaultHeartbeat ? null : DurationText.Format(address.Heartbeat)),
            ("connect_timeout", address.ConnectTimeout == BrokerAddress.DefaultConnectTimeout ? null : DurationText.Format(address.ConnectTimeout)),
            ("prefix", address.Prefix == BrokerAddress.DefaultPrefix ? null : address.Prefix),
            ("queues", address.QueueKind == BrokerQueueKind.Auto ? null : address.QueueKind.ToString().ToLowerInvariant()),
            ("cacertfile", Path(address.AuthorityFile)),
            ("certfile", Path(address.CertificateFile)),
            ("keyfile", Path(address.KeyFile)),
        ];
        var text = string.Join('&', pairs.Where(pair => pair.Value is not null).Select(pair => $"{pair.Key}={pair.Value}"));
        return text.Length == 0 ? "" : "?" + text;
    }

    private static BrokerAddress With(BrokerAddress address, string key, string value) => key switch
    {
        "heartbeat" => address with { Heartbeat = Heartbeat(value) },
        "connect_timeout" => address with { ConnectTimeout = ConnectTimeout(key, value, value) },
        "connection_timeout" => address with { ConnectTimeout = ConnectTimeout(key, value, value.All(char.IsAsciiDigit) ? value + "ms" : value) },
        "prefix" => address with { Prefix = PrefixForm().IsMatch(value) ? value : throw Bad(key, value, "1 to 64 of A-Z a-z 0-9 . _ -") },
        "queues" => address with { QueueKind = Kind(value) },
        "cacertfile" => address with { AuthorityFile = File(address, key, value) },
        "certfile" => address with { CertificateFile = File(address, key, value) },
        _ => address with { KeyFile = File(address, key, value) },
    };

    private static TimeSpan Heartbeat(string value) =>
        DurationText.TryParse(value, out var time, out _) && time >= TimeSpan.FromSeconds(1) && time <= TimeSpan.FromMinutes(5) && time.Ticks % TimeSpan.TicksPerSecond == 0
            ? time : throw Bad("heartbeat", value, "whole seconds from 1s to 5m, for example 10 or 10s");

    private static TimeSpan ConnectTimeout(string key, string value, string duration) =>
        DurationText.TryParse(duration, out var time, out _) && time >= TimeSpan.FromSeconds(1) && time <= TimeSpan.FromMinutes(10)
            ? time : throw Bad(key, value, key == "connect_timeout" ? "1s to 10m, a number alone being seconds" : "1s to 10m, a number alone being milliseconds");

    private static BrokerQueueKind Kind(string value) => value switch
    {
        "auto" => BrokerQueueKind.Auto,
        "quorum" => BrokerQueueKind.Quorum,
        "classic" => BrokerQueueKind.Classic,
        _ => throw Bad("queues", value, "auto, quorum, classic"),
    };

    // A relative one would depend on the folder that the process happens to be in, which in PowerShell is not the session's.
    private static string File(BrokerAddress address, string key, string value) =>
        !address.UsesTls ? throw new FormatException($"The address of the broker has {key} without TLS. Write amqps:// for a broker with TLS, or leave {key} out.")
            : System.IO.Path.IsPathFullyQualified(value) ? value
            : throw Bad(key, value, "the absolute path of a file");

    private static string Meant(string key) =>
        Advice.TryGetValue(key, out var advice) ? advice + " " : Suggestion.For(key, Keys) is { } meant ? $"Meant: {meant}? " : "";

    private static string? Path(string? path) => path is null ? null : Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal);

    private static FormatException Bad(string key, string value, string allowed) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The address of the broker has {key}={value}. Allowed: {allowed}."));

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex PrefixForm();
}
