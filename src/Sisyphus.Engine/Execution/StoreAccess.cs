using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>The session's stores as far as the node's policy opens them.</summary>
internal sealed class StoreAccess(ObjectStores stores, NodePolicy policy)
{
    public TransferScheduler Scheduler => stores.Scheduler;

    /// <summary>Not only what documents name: a decision or a pointer in a bucket may be anybody's writing.</summary>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.PolicyDenied"/> or <see cref="FailureReason.InvalidDocument"/>.</exception>
    public ObjectLocation Resolve(RemotePath path)
    {
        Admission.CheckBucket(path, policy);
        return stores.Resolve(path, policy.FileRoots, policy.HttpHosts);
    }
}
