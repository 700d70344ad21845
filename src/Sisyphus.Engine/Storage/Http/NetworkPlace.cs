using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>What an address is, as far as it matters to a machine that fetches for others.</summary>
internal static class NetworkPlace
{
    // Link-local: AWS, Google, Azure and others keep their metadata there, at 169.254.169.254 and 169.254.170.2. Then Alibaba, Oracle, Azure's host,
    // AWS and Google over IPv6, and what is no single machine at all.
    private static readonly IPNetwork[] Forbidden =
    [
        .. ((string[])["169.254.0.0/16", "fe80::/10", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::254/128", "224.0.0.0/4", "255.255.255.255/32", "ff00::/8"])
            .Select(IPNetwork.Parse),
    ];

    private static readonly IPNetwork[] ThisMachine = [.. ((string[])["127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128"]).Select(IPNetwork.Parse)];

    // Forms in which an IPv6 address carries one of IPv4: NAT64 (RFC 6052, RFC 8215) at the end, 6to4 (RFC 3056) after 16 bits, and the old "compatible" ones.
    private static readonly (IPNetwork Network, int At)[] Carriers =
        [(IPNetwork.Parse("64:ff9b::/96"), 12), (IPNetwork.Parse("64:ff9b:1::/48"), 12), (IPNetwork.Parse("2002::/16"), 2), (IPNetwork.Parse("::/96"), 12)];

    private static readonly string[] MetadataNames = ["metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"];

    public static bool IsMetadataName(string host) => MetadataNames.Contains(host.TrimEnd('.'), StringComparer.OrdinalIgnoreCase);

    public static NetworkPlaceKind Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.ScopeIdOrZero() != 0)
            address = new IPAddress(address.GetAddressBytes());
        if (Forbidden.Any(network => network.Contains(address)))
            return NetworkPlaceKind.Forbidden;
        if (ThisMachine.Any(network => network.Contains(address)) || IsOwn(address))
            return NetworkPlaceKind.ThisMachine;
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && Carriers.FirstOrDefault(carrier => carrier.Network.Contains(address)) is { At: > 0 } found)
            return Of(new IPAddress(address.GetAddressBytes().AsSpan(found.At, 4)));
        return NetworkPlaceKind.Elsewhere;
    }

    // Asked each time: addresses come and go.
    private static bool IsOwn(IPAddress address) => NetworkInterface.GetAllNetworkInterfaces().Any(network => network.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)));

    private static long ScopeIdOrZero(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
