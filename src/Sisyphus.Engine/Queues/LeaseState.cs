namespace Sisyphus.Engine.Queues;

public enum LeaseState
{
    Held,
    /// <summary>Held, and somebody wants the task canceled: stop it and settle it as canceled, unless it is published by then.</summary>
    CancelRequested,
    /// <summary>Another node has the task, or it is over.</summary>
    Lost,
}
