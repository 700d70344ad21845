namespace Sisyphus.Engine.Queues;

public enum NodeState
{
    Idle,
    Busy,
    /// <summary>Takes nothing for the moment: its container engine or its disk fails.</summary>
    Paused,
    Draining,
    /// <summary>Ended by itself, in order.</summary>
    Left,
    /// <summary>Not heard of any more.</summary>
    Lost,
}
