using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>The ways to declare queues, of each the best first.</summary>
internal sealed class QueueKinds(BrokerQueueKind allowed)
{
    /// <summary>Without a limit newer brokers give up a message after 20 deliveries; -1 means the opposite on older ones.</summary>
    private const int DeliveryLimit = 1_000_000;
    /// <summary>From 4.3 on a quorum queue keeps for a minute what it gave to a member of the cluster that is down since; older ones never did.</summary>
    private const int DisconnectedMilliseconds = 2000;

    public static bool IsQuorum(Dictionary<string, object?> kind) => kind.ContainsValue("quorum");

    public static Dictionary<string, object?> Stream(TimeSpan retention, long bytes, long segmentBytes) => new()
    {
        ["x-queue-type"] = "stream",
        ["x-max-age"] = $"{(long)Math.Max(60, retention.TotalSeconds)}s",
        ["x-max-length-bytes"] = bytes,
        ["x-stream-max-segment-size-bytes"] = segmentBytes,
    };

    public List<Dictionary<string, object?>> Plain() => Kinds([]);

    /// <summary>The original declares its queues without arguments, and would be refused where they have some.</summary>
    public List<Dictionary<string, object?>> Original() => allowed == BrokerQueueKind.Quorum ? Plain() : [[]];

    /// <summary>Whose messages go on to a queue when their time is over.</summary>
    public List<Dictionary<string, object?>> Delaying(TimeSpan delay, string next)
    {
        var common = new Dictionary<string, object?>
        {
            ["x-message-ttl"] = (long)delay.TotalMilliseconds,
            ["x-dead-letter-exchange"] = "",
            ["x-dead-letter-routing-key"] = next,
        };
        var kinds = Kinds(common);
        foreach (var quorum in kinds.Where(IsQuorum))
        {
            quorum["x-dead-letter-strategy"] = "at-least-once";
            quorum["x-overflow"] = "reject-publish";
        }
        return kinds;
    }

    private List<Dictionary<string, object?>> Kinds(Dictionary<string, object?> common)
    {
        var classic = new Dictionary<string, object?>(common);
        if (allowed == BrokerQueueKind.Classic)
            return [classic];
        var quorum = new Dictionary<string, object?>(common) { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = DeliveryLimit, ["x-consumer-disconnected-timeout"] = DisconnectedMilliseconds };
        return allowed == BrokerQueueKind.Quorum ? [quorum] : [quorum, classic];
    }
}
