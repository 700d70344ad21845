using System.Net;

namespace Sisyphus.Engine.Queues;

/// <summary>Settings of a queue.</summary>
public sealed class QueueOptions
{
    public const int DefaultMaxLosses = 3;
    public static readonly TimeSpan DefaultLeaseTime = TimeSpan.FromMinutes(3);
    public static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(7);

    /// <summary>After which the tasks of a node that has gone silent are given to others, 1 s to 1 day.</summary>
    public TimeSpan LeaseTime { get; set; } = DefaultLeaseTime;
    /// <summary>A task that so many nodes were lost with becomes a dead letter (<c>node_lost</c>), 1 to 100: it may be what kills them.</summary>
    public int MaxLosses { get; set; } = DefaultMaxLosses;
    /// <summary>How long tasks that ended, and events, are kept, 1 min to 10 years; dead letters stay.</summary>
    public TimeSpan Retention { get; set; } = DefaultRetention;
    public RetrySchedule Retry { get; set; } = new();
    /// <summary>Who we are to a broker, instead of whom its address names; null: as the address says. For brokers only: a file has no users.</summary>
    public NetworkCredential? Credential { get; set; }

    /// <exception cref="ArgumentException">Names the option, its value and the allowed range.</exception>
    public void Validate()
    {
        Require(LeaseTime >= TimeSpan.FromSeconds(1) && LeaseTime <= TimeSpan.FromDays(1), nameof(LeaseTime), LeaseTime, "1 s to 1 day");
        Require(MaxLosses is >= 1 and <= 100, nameof(MaxLosses), MaxLosses, "1 to 100");
        Require(Retention >= TimeSpan.FromMinutes(1) && Retention <= TimeSpan.FromDays(3653), nameof(Retention), Retention, "1 min to 10 years");
        Retry.Validate();
    }

    private static void Require(bool condition, string name, object value, string allowed)
    {
        if (!condition)
            throw new ArgumentException($"{name} is {value}; allowed: {allowed}.", name);
    }
}
