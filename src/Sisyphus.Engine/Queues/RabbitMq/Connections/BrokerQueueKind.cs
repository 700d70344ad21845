namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>The broker's kind of queue for what is ours there.</summary>
public enum BrokerQueueKind
{
    /// <summary>Quorum where the broker allows it, else classic.</summary>
    Auto,
    /// <summary>Replicated: survives the loss of a member of the cluster.</summary>
    Quorum,
    Classic,
}
