namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>A member of the broker's cluster.</summary>
/// <param name="Name">A name or an IP address; of IPv6 without brackets.</param>
public sealed record BrokerHost(string Name, int Port)
{
    public override string ToString() => $"{(Name.Contains(':', StringComparison.Ordinal) ? $"[{Name}]" : Name)}:{Port}";
}
