namespace Sisyphus.Engine.Queues.RabbitMq.Messages;

/// <summary>What an entry of the event stream says. The first are those of <see cref="QueueEventKind"/>, by the same names.</summary>
internal enum LogEntryKind
{
    TaskSent,
    TaskClaimed,
    TaskProgressed,
    TaskWarned,
    TaskRetried,
    TaskReleased,
    TaskLost,
    CancelRequested,
    TaskEnded,
    TaskResumed,
    NodeJoined,
    NodePaused,
    NodeContinued,
    NodeDraining,
    NodeLeft,
    NodeLost,
    /// <summary>Not sent after all.</summary>
    TaskRefused,
    /// <summary>An order to a node.</summary>
    NodeStop,
    NodeHeartbeat,
    /// <summary>Of a reader, who waits for it to come back: it has read all that was before.</summary>
    Marker,
    /// <summary>There is a workflow that only foreign clients have sent tasks of, or a lane of which nothing else tells any more.</summary>
    LaneOpened,
    /// <summary>Somebody reads what tasks write.</summary>
    OutputWish,
}
