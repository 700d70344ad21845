namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>A node as it speaks of itself.</summary>
internal sealed record BoardNode
{
    public required NodeRegistration Registration { get; init; }
    public required string Session { get; init; }
    public required DateTimeOffset Joined { get; init; }
    public required NodeState State { get; init; }
    public NodeStatus? Status { get; init; }
    public required DateTimeOffset LastSeen { get; init; }
    /// <summary>By this process's own clock that only goes forward, which no wrong wall clock can disturb; 0 for what was read from the past.</summary>
    public long Heard { get; init; }
}
