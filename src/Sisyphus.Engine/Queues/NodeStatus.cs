namespace Sisyphus.Engine.Queues;

/// <summary>How a node is doing: a heartbeat.</summary>
/// <param name="Tasks">Ids of what it runs.</param>
/// <param name="Cpus">Promised to them.</param>
/// <param name="Memory">Bytes, likewise.</param>
/// <param name="Load">Load average of the machine over one minute; null where the system has none.</param>
/// <param name="Message">Why it is paused; else empty.</param>
public sealed record NodeStatus(NodeState State, IReadOnlyList<string> Tasks, double Cpus, long Memory, double? Load, long Finished, string Message);
