namespace Sisyphus.Engine.Queues;

public enum QueueEventKind
{
    TaskSent,
    TaskClaimed,
    /// <summary>Initializing or Running.</summary>
    TaskProgressed,
    TaskWarned,
    /// <summary>An attempt failed and the task will be tried again.</summary>
    TaskRetried,
    /// <summary>Back on the queue, nothing charged.</summary>
    TaskReleased,
    /// <summary>The node that had it was lost; it is back on the queue.</summary>
    TaskLost,
    CancelRequested,
    /// <summary>The last event of a task, unless it is resumed: complete, canceled, or in error and then a dead letter.</summary>
    TaskEnded,
    TaskResumed,
    NodeJoined,
    NodePaused,
    /// <summary>It takes tasks again.</summary>
    NodeContinued,
    NodeDraining,
    NodeLeft,
    NodeLost,
}
