using System.Net;

namespace Sisyphus.PowerShell;

/// <summary>The credential of a session, for the broker that it was given for and for no other.</summary>
internal sealed class SessionCredential(string broker, NetworkCredential credential)
{
    public NetworkCredential? For(string address) => string.Equals(address, broker, StringComparison.Ordinal) ? credential : null;
}
