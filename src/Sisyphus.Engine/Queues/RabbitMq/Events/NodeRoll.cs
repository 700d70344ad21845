using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Who is there.</summary>
internal sealed class NodeRoll(BrokerParts parts)
{
    /// <summary>Heartbeats that may be missed.</summary>
    private const int MostMissed = 3;

    /// <summary>Not heard of for three of its intervals: by our own ears where we were listening, otherwise by the clocks of two machines.</summary>
    public static bool IsSilent(BrokerParts parts, BoardNode node)
    {
        var silence = node.Heard != 0 ? parts.Time.GetElapsedTime(node.Heard) : parts.Now - node.LastSeen;
        return silence > MostMissed * node.Registration.HeartbeatInterval;
    }

    /// <summary>Those that are found silent are told to be lost.</summary>
    public async Task<IReadOnlyList<NodeInfo>> ReadAsync(CancellationToken cancellationToken)
    {
        foreach (var node in parts.Board.Nodes().Where(node => node.State is not (NodeState.Left or NodeState.Lost) && IsSilent(parts, node)))
        {
            await parts.Feed.AskAsync(
                new LogEntry { Kind = LogEntryKind.NodeLost, Time = parts.Now, Node = node.Registration.Name, Session = node.Session, Message = "It was not heard of any more." },
                cancellationToken).ConfigureAwait(false);
        }
        return parts.Board.Nodes().Select(Info).ToArray();
    }

    private static NodeInfo Info(BoardNode node)
    {
        var status = node.State is NodeState.Left or NodeState.Lost ? null : node.Status;
        return new NodeInfo
        {
            Name = node.Registration.Name, State = node.State, Concurrency = node.Registration.Concurrency, Tasks = status?.Tasks ?? [], CpusInUse = status?.Cpus ?? 0, Cpus = node.Registration.Cpus,
            MemoryInUse = status?.Memory ?? 0, Memory = node.Registration.Memory, Load = status?.Load, Finished = node.Status?.Finished ?? 0, Message = status?.Message ?? "", Machine = node.Registration.Machine,
            ProcessId = node.Registration.ProcessId, Software = node.Registration.Software, Joined = node.Joined, LastSeen = node.LastSeen,
        };
    }
}
