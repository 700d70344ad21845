using System.IO.Enumeration;
using System.Net;
using System.Text.RegularExpressions;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage.Http;

/// <summary>Which hosts of the web may be asked. A node fetches what a stranger's document names, and stands where the stranger does not: beside its own services and its cloud's metadata (https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).</summary>
internal sealed partial record HostGuard
{
    private readonly string? _patterns;

    private HostGuard(string? patterns) => _patterns = patterns;

    /// <summary>Of a user who fetches for himself: he can do so without us.</summary>
    public static HostGuard None { get; } = new((string?)null);

    /// <param name="patterns">Of <c>host</c>, at the scheme's own port, or <c>host:port</c>; empty for every host but this machine.</param>
    public static HostGuard Of(IEnumerable<string> patterns) => new(string.Join('\n', patterns));

    private string[] Patterns => _patterns?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/></exception>
    public void Require(RemotePath path)
    {
        if (Uri.TryCreate($"{path.Scheme}://{path.Bucket}/", UriKind.Absolute, out var address))
            Require(address);
        else
            throw new TaskFailureException(FailureReason.InvalidDocument, $"{path}: \"{path.Bucket}\" is no host.");
    }

    /// <summary>As far as the name alone tells.</summary>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/></exception>
    public void Require(Uri address)
    {
        if (_patterns is null)
            return;
        if (NetworkPlace.IsMetadataName(address.IdnHost))
            throw Denied(address, "it is the cloud's metadata server");
        if (_patterns.Length > 0 && !IsNamed(address))
            throw Denied(address, $"it matches none of the allowed hosts ({string.Join(", ", Patterns)})");
        if (IPAddress.TryParse(address.IdnHost.Trim('[', ']'), out var literal))
            Require(address, literal);
    }

    /// <summary>As far as the address tells that a name has led to.</summary>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/></exception>
    public void Require(Uri address, IPAddress resolved)
    {
        if (_patterns is null)
            return;
        switch (NetworkPlace.Of(resolved))
        {
            case NetworkPlaceKind.Forbidden:
                throw Denied(address, $"{resolved} is an address of the cloud's metadata or of the local network link");
            case NetworkPlaceKind.ThisMachine when !IsNamed(address):
                throw Denied(address, $"{resolved} is this machine itself, which the policy would have to name");
        }
    }

    private bool IsNamed(Uri address)
    {
        var host = address.HostNameType == UriHostNameType.IPv6 ? $"[{address.IdnHost}]" : address.IdnHost;
        return Patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(
            pattern, EndsInPort().IsMatch(pattern) ? $"{host}:{address.Port}" : address.IsDefaultPort ? host : "", ignoreCase: true));
    }

    private static TaskFailureException Denied(Uri address, string why) =>
        new(FailureReason.PolicyDenied, $"This node's policy denies {address.Scheme}://{address.Authority}/: {why}.");

    // Not the end of [fe80::1].
    [GeneratedRegex(@":(\d+|\*)\z")]
    private static partial Regex EndsInPort();
}
