using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>The session's stores as far as the node's policy opens them.</summary>
internal sealed class StoreAccess(ObjectStores stores, NodePolicy policy)
{
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/> or <see cref="FailureReason.InvalidDocument"/>.</exception>
    public ObjectLocation Resolve(RemotePath path) => stores.Resolve(path, policy.FileRoots);
}
