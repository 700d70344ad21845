namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>What a node says to whether it has a task.</summary>
internal enum Answer
{
    /// <summary>It runs it, and its lease is fresh.</summary>
    Mine,
    NotMine,
    /// <summary>There is no such node.</summary>
    Gone,
    /// <summary>It did not answer.</summary>
    Silent,
}
