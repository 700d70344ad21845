using System.Text.RegularExpressions;

using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Settings;

/// <summary>The one place that makes the address of a queue, a store or a container engine fit to be seen by anybody.</summary>
public static partial class AddressSecrets
{
    private const string Hidden = "***";

    /// <summary>Without user name, password and what a query may hold, for example a signature. Paths are left as they are; of what is no address, rather too much is hidden.</summary>
    public static string Hide(string address)
    {
        if (BrokerAddress.IsBroker(address))
            return BrokerAddress.WithoutSecrets(address);
        var match = Start().Match(address);
        if (!match.Success || match.Groups["scheme"].Value.ToLowerInvariant() is "sqlite" or "file")
            return address;
        var start = match.Value;
        var rest = address[start.Length..];
        var end = rest.AsSpan().IndexOfAny("/?#");
        var authority = end < 0 ? rest : rest[..end];
        // A password with an unescaped slash ends the authority too early.
        var at = authority.Contains('@', StringComparison.Ordinal) || authority.Contains(':', StringComparison.Ordinal) || !start.EndsWith('/') ? rest.LastIndexOf('@') : -1;
        if (at >= 0)
            rest = Hidden + rest[at..];
        var query = rest.IndexOf('?', StringComparison.Ordinal);
        return start + (query < 0 ? rest : rest[..query] + "?" + Hidden);
    }

    // Of two letters and more: one is a drive.
    [GeneratedRegex(@"\A\s*(?<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?://)?", RegexOptions.CultureInvariant)]
    private static partial Regex Start();
}
