using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>What a node lets documents do. The default is the safe one; everything else is the operator's decision.</summary>
public sealed class NodePolicy
{
    /// <summary>Patterns (<c>*</c>, <c>?</c>) of allowed image references; empty allows every image.</summary>
    public IList<string> Images { get; init; } = [];
    /// <summary>Patterns of allowed buckets; empty allows every bucket of the session's stores.</summary>
    public IList<string> Buckets { get; init; } = [];
    /// <summary>Allowed networks; empty allows all of them.</summary>
    public IList<TaskNetwork> Networks { get; init; } = [];
    /// <summary>Absolute folders that <c>file://</c> paths may name; empty forbids such paths.</summary>
    public IList<string> FileRoots { get; init; } = [];
    /// <summary>Patterns (<c>*</c>, <c>?</c>) of hosts that <c>https://</c> and <c>http://</c> inputs may come from, as <c>host</c> (at the scheme's own port) or <c>host:port</c>; empty allows every host but this machine, which has to be named. Addresses of cloud metadata and the link-local ones are never reached.</summary>
    public IList<string> HttpHosts { get; init; } = [];
    /// <summary>Documents may choose the user, root among them.</summary>
    public bool AllowUser { get; init; }
    /// <summary>Tasks may reach the cloud's metadata address (and with it the node's own cloud identity).</summary>
    public bool AllowMetadata { get; init; }
}
