namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Entries that were written together.</summary>
internal readonly record struct StreamMessage(long Offset, LogEntry[] Entries)
{
    /// <summary>More entries than a message has.</summary>
    public const int Room = 4096;
    public const int MaxEntries = 200;

    public static long OffsetOf(long sequence) => sequence / Room;

    /// <summary>Sequence of the entry with this index; rises from entry to entry over all messages.</summary>
    public long Sequence(int index) => (Offset * Room) + index + 1;
}
