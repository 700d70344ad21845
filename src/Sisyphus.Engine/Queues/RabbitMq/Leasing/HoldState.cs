namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

internal enum HoldState
{
    /// <summary>Not confirmed yet.</summary>
    Claiming,
    Held,
    /// <summary>Given back because it was not renewed; as long as nobody else has claimed the task, it can be taken again.</summary>
    Lapsed,
    /// <summary>Settled, or another's.</summary>
    Gone,
}
