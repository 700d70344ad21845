using Sisyphus.Engine.Queues;

namespace Sisyphus.PowerShell.Completers;

/// <summary>Names of the nodes that the queue knows.</summary>
public sealed class NodeNameCompleter : QueueCompleter
{
    private protected override async Task<IReadOnlyList<(string, string)>> FindAsync(ITaskQueue queue, CancellationToken cancellationToken) =>
        [.. (await queue.GetNodesAsync(cancellationToken).ConfigureAwait(false)).Select(node => (node.Name, node.State.ToString()))];
}
