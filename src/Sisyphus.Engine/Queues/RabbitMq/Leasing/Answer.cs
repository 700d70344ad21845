namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>What a session says to whether it has a task.</summary>
internal enum Answer
{
    /// <summary>It runs it, and its lease is fresh.</summary>
    Mine,
    /// <summary>It has not got it, and lives: nothing happened to it over this task.</summary>
    NotMine,
    /// <summary>It is just about to claim it, or to settle it.</summary>
    Busy,
    /// <summary>It runs it, and has not renewed the lease in time.</summary>
    Lapsed,
    /// <summary>Another session has the node's name: the one that is asked about is over.</summary>
    Another,
    /// <summary>There is no such node.</summary>
    Gone,
    /// <summary>It did not answer.</summary>
    Silent,
}
