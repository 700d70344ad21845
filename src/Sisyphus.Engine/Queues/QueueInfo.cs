namespace Sisyphus.Engine.Queues;

/// <summary>What a queue is and how much is on it.</summary>
public sealed record QueueInfo
{
    public required string Address { get; init; }
    /// <summary>Kind and version, for a person: <c>SQLite 3.50.4, schema 1</c>.</summary>
    public required string Kind { get; init; }
    /// <summary>May be claimed now.</summary>
    public required long Ready { get; init; }
    /// <summary>Wait for their next attempt.</summary>
    public required long Delayed { get; init; }
    /// <summary>A node has them.</summary>
    public required long Leased { get; init; }
    public required long DeadLetters { get; init; }
    /// <summary>Complete or canceled, within the retention.</summary>
    public required long Ended { get; init; }
    public required int Nodes { get; init; }
    /// <summary>Sending time of the oldest that may be claimed.</summary>
    public DateTimeOffset? OldestReady { get; init; }
    public required TimeSpan LeaseTime { get; init; }
    public required TimeSpan Retention { get; init; }
}
