namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The clocks of a queue on one machine.</summary>
internal sealed class QueueClock(TimeProvider time)
{
    /// <summary>The wall clock: for people and for what may wait until a time. It may be set back and forth.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    public long Ticks => Now.UtcTicks;

    /// <summary>Milliseconds since the machine started, the same in every process of it and never set: for leases.</summary>
    public long Monotonic => (long)time.GetElapsedTime(0).TotalMilliseconds;
}
