namespace Sisyphus.Engine.Queues;

/// <summary>A node's place at the queue. Disposing it takes the node off the registry and puts back, uncounted, what it still has leased.</summary>
public interface INodeSession : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Time after which the tasks of a node that does not renew are given to others; renew three times as often.</summary>
    TimeSpan LeaseTime { get; }

    /// <summary>What is unwise about how the node was set up, for its operator; null when nothing is.</summary>
    string? Caution { get; }

    /// <summary>Waits for a task that may be claimed and leases it to this node: the first by priority, then by age, that fits; among workflows by age, or each in its turn. Wakes within 100 ms of a send. One call at a time.</summary>
    /// <remarks>A call that is canceled leaves nothing leased. A message that is no task document never comes out: it becomes a dead letter.</remarks>
    Task<IDelivery> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken);

    /// <summary>Tells the registry how the node is doing; a node that is not heard of for three of its intervals counts as lost.</summary>
    Task HeartbeatAsync(NodeStatus status, CancellationToken cancellationToken);

    /// <summary>Orders to this node, also those given before the call; each once. One reader; ends with the token or the session.</summary>
    IAsyncEnumerable<NodeSignal> ReadSignalsAsync(CancellationToken cancellationToken);
}
