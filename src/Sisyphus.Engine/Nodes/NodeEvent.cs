using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>Something that happened on a node, in order.</summary>
public abstract record NodeEvent;

/// <summary>Of a task that the node has; <see cref="TaskFinished"/> comes for each task that it brought to an end, a change of the state to Queued for one that is back on the queue.</summary>
public sealed record NodeTaskEvent(TaskEvent Event, string Title) : NodeEvent;

/// <param name="Kind">As <see cref="Queues.QueueInfo.Kind"/>.</param>
public sealed record NodeJoinedQueue(DateTimeOffset Time, string Address, string Kind) : NodeEvent
{
    public override string ToString() => $"Joined {Address}: {Kind}.";
}

/// <summary>Something is not as it should be, and no task depends on it.</summary>
public sealed record NodeWarned(DateTimeOffset Time, string Message) : NodeEvent;

/// <param name="Message">Why, for a person; empty where the state says all.</param>
public sealed record NodeStateChanged(DateTimeOffset Time, NodeState State, string Message) : NodeEvent;
