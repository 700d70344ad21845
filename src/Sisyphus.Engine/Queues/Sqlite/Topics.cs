namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>What others may be waiting for.</summary>
[Flags]
internal enum Topics
{
    None = 0,
    /// <summary>A task that may be claimed.</summary>
    Tasks = 1,
    Events = 2,
    /// <summary>An order to a node.</summary>
    Orders = 4,
    /// <summary>Somebody reads what tasks write, or does not any more.</summary>
    OutputWishes = 8,
    Output = 16,
}
