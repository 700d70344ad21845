namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>A heartbeat.</summary>
/// <param name="Heard">As <see cref="BoardNode.Heard"/>.</param>
internal readonly record struct NodeBeat(string Session, NodeStatus Status, DateTimeOffset Time, long Heard);
