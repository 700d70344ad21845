namespace Sisyphus.Engine.Queues;

/// <summary>Which changes of a node's state are worth an event.</summary>
internal static class NodeChanges
{
    public static QueueEventKind? Told(NodeState before, NodeState after) => (before, after) switch
    {
        _ when before == after => null,
        (_, NodeState.Paused) => QueueEventKind.NodePaused,
        (_, NodeState.Draining) => QueueEventKind.NodeDraining,
        (NodeState.Paused or NodeState.Draining or NodeState.Lost, _) => QueueEventKind.NodeContinued,
        _ => null,
    };
}
