using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Passes over what was said too late, of a task that was another's by then or over: it is in the stream, and changed nothing.</summary>
/// <remarks>Judged as everybody judges it, as far as the reader has read what came before.</remarks>
internal sealed class EventSieve(TimeProvider time, TimeSpan retention)
{
    private readonly Board _board = new(time, retention);

    public bool Passes(LogEntry entry)
    {
        var task = entry.Task is { } id ? _board.Find(id) : null;
        var node = entry is { Task: null, Node: { } name } ? _board.FindNode(name) : null;
        // Of a task of which only the middle was read nobody can say, but that what is said of a later claim is no old word.
        return _board.Apply(entry) || (node is null && (task is null or { IsForeign: true, IsHeld: false, Summary.HasEnded: false } || (task.IsForeign && entry.Claim > task.Claims)));
    }
}
