namespace Sisyphus.Engine.Queues;

public enum NodeStop
{
    /// <summary>Running tasks finish, nothing new is taken.</summary>
    Drain,
    /// <summary>Containers are stopped, their tasks are back on the queue at once.</summary>
    Abandon,
}
