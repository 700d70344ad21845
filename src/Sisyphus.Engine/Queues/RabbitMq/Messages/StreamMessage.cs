namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>Entries that were written together.</summary>
/// <param name="Fingerprint">Of its bytes, in which times and marks make each another one: where a different message stands at its place, that is another stream of the name.</param>
internal readonly record struct StreamMessage(long Offset, LogEntry[] Entries, UInt128 Fingerprint)
{
    /// <summary>More entries than a message has.</summary>
    public const int Room = 4096;
    public const int MaxEntries = 200;

    public static long OffsetOf(long sequence) => sequence / Room;

    /// <summary>Sequence of the entry with this index; rises from entry to entry over all messages.</summary>
    public long Sequence(int index) => (Offset * Room) + index + 1;
}
