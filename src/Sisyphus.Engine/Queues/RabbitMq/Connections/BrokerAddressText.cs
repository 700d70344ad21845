using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>Reads and writes addresses of brokers.</summary>
internal static partial class BrokerAddressText
{
    private const string Forms = "amqp://[user[:password]@]host[:port][,host2[:port]…][/vhost][?key=value&…], or amqps:// for TLS";
    private static readonly SearchValues<char> AuthorityEnds = SearchValues.Create("/?#");

    public static BrokerAddress Parse(string text)
    {
        if (SchemeOf(text) is not { } scheme)
            throw new FormatException($"'{WithoutSecrets(text)}' is no address of a broker. Allowed: {Forms}.");
        var usesTls = scheme == BrokerAddress.TlsScheme;
        var rest = text[(scheme.Length + "://".Length)..];
        var end = rest.AsSpan().IndexOfAny(AuthorityEnds);
        var authority = end < 0 ? rest : rest[..end];
        // Whatever stands before an @ may be a piece of a password: nothing of such an address can be shown.
        if (rest.Count(c => c == '@') != authority.Count(c => c == '@') || authority.Count(c => c == '@') > 1)
            throw new FormatException("The address of the broker has an @ in the wrong place. In a user name, a password, a virtual host or a value write @ as %40, / as %2F, ? as %3F, # as %23, : as %3A and % as %25, or give the password with -Credential.");
        var tail = end < 0 ? "" : rest[end..];
        if (tail.Contains('#', StringComparison.Ordinal))
            throw new FormatException($"The address of the broker has a '#'. Allowed: {Forms}; write # as %23.");
        var (path, query) = Split(tail, '?');
        var (before, hosts) = authority.Contains('@', StringComparison.Ordinal) ? Split(authority, '@') : (null, authority);
        var (user, password) = UserInfo(before);
        var address = new BrokerAddress
        {
            Hosts = Hosts(hosts!, usesTls),
            VirtualHost = VirtualHost(path),
            UsesTls = usesTls,
            User = user,
            Password = password,
        };
        return query is null ? address : BrokerQuery.Apply(address, query);
    }

    public static string Write(BrokerAddress address)
    {
        var text = new StringBuilder(address.UsesTls ? BrokerAddress.TlsScheme : BrokerAddress.Scheme).Append("://");
        if (address.User is not null)
            text.Append(Uri.EscapeDataString(address.User)).Append('@');
        var port = DefaultPort(address.UsesTls);
        text.AppendJoin(',', address.Hosts.Select(host => host.Port == port ? host.ToString()[..host.ToString().LastIndexOf(':')] : host.ToString()));
        if (address.VirtualHost != BrokerAddress.DefaultVirtualHost)
            text.Append('/').Append(Uri.EscapeDataString(address.VirtualHost));
        return text.Append(BrokerQuery.Write(address)).ToString();
    }

    /// <summary>An address to show, whether it is one or not: user name and password hidden; of what is none also everything that might be a password in the wrong place.</summary>
    public static string WithoutSecrets(string text)
    {
        var scheme = SchemeOf(text) is { } known ? known + "://" : "";
        var at = text.LastIndexOf('@');
        var shown = at < 0 ? text[scheme.Length..] : "***" + text[at..];
        if (IsAddress(text))
            return scheme + shown;
        return scheme + (at < 0 ? "***" : shown.IndexOf('?', StringComparison.Ordinal) is var query and >= 0 ? shown[..query] + "?***" : shown);
    }

    /// <summary>What was percent-encoded; <paramref name="what"/> names it, for its value may be secret.</summary>
    public static string Decode(string text, string what) =>
        BadEscape().IsMatch(text)
            ? throw new FormatException($"The {what} of the broker's address has a % that does not begin an escape such as %2F; write % as %25.")
            : Uri.UnescapeDataString(text);

    private static bool IsAddress(string text)
    {
        if (SchemeOf(text) is null)
            return false;
        try
        {
            Parse(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static string? SchemeOf(string text) =>
        new[] { BrokerAddress.Scheme, BrokerAddress.TlsScheme }.FirstOrDefault(scheme => text.StartsWith(scheme + "://", StringComparison.OrdinalIgnoreCase));

    private static (string Before, string? After) Split(string text, char at)
    {
        var index = text.IndexOf(at, StringComparison.Ordinal);
        return index < 0 ? (text, null) : (text[..index], text[(index + 1)..]);
    }

    private static (string? User, string? Password) UserInfo(string? text)
    {
        if (text is null)
            return (null, null);
        var (user, password) = Split(text, ':');
        if (user.Length == 0)
            throw new FormatException("The address of the broker has an @ without a user name before it.");
        return (Decode(user, "user name"), password is null ? null : Decode(password, "password"));
    }

    private static BrokerHost[] Hosts(string text, bool usesTls)
    {
        BrokerHost[] hosts = [.. text.Split(',').Select(host => Host(host, DefaultPort(usesTls)))];
        if (hosts.GroupBy(host => host).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new FormatException($"The address of the broker names the host {twice.Key} twice.");
        return hosts;
    }

    private static BrokerHost Host(string text, int defaultPort)
    {
        var match = HostForm().Match(text);
        if (!match.Success || Name(match) is not { } name)
            throw new FormatException($"The address of the broker has {(text.Length == 0 ? "an empty host" : $"a host that is none: '{Split(text, ':').Before}'")}. Allowed: a name, an IPv4 address or an IPv6 address in brackets, and ':' with a port where it is not {defaultPort}.");
        if (!match.Groups["port"].Success)
            return new BrokerHost(name, defaultPort);
        // Without the user name's @ this would be the password.
        if (!int.TryParse(match.Groups["port"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535)
            throw new FormatException($"The port of the broker's host {name} is none. Allowed: 1 to 65535, or nothing for {defaultPort}.");
        return new BrokerHost(name, port);
    }

    private static string? Name(Match match) =>
        !match.Groups["six"].Success ? match.Groups["name"].Value.ToLowerInvariant()
            : IPAddress.TryParse(match.Groups["six"].ValueSpan, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ToString() : null;

    // A lone slash is what a habit adds; of the specification's empty virtual host nobody makes use.
    private static string VirtualHost(string path)
    {
        if (path.Length <= 1)
            return BrokerAddress.DefaultVirtualHost;
        if (path.IndexOf('/', 1) >= 0)
            throw new FormatException($"The virtual host of the broker's address is '{path[1..]}'. Allowed: one segment; write / as %2F.");
        return Decode(path[1..], "virtual host");
    }

    private static int DefaultPort(bool usesTls) => usesTls ? BrokerAddress.DefaultTlsPort : BrokerAddress.DefaultPort;

    [GeneratedRegex(@"\A(?:\[(?<six>[^\]]*)\]|(?<name>[\p{L}\p{N}](?:[\p{L}\p{N}._-]*)))(?::(?<port>.*))?\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex HostForm();

    [GeneratedRegex("%(?![0-9A-Fa-f]{2})", RegexOptions.CultureInvariant)]
    private static partial Regex BadEscape();
}
