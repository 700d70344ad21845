namespace Sisyphus.Engine.Queues;

/// <summary>An order to a node.</summary>
public abstract record NodeSignal;

/// <summary>A task that this node has leased is to be canceled.</summary>
public sealed record CancelSignal(string TaskId) : NodeSignal;

public sealed record StopSignal(NodeStop How) : NodeSignal;
