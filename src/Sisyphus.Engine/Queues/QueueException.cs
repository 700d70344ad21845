namespace Sisyphus.Engine.Queues;

/// <summary>The queue can't do what was asked. The message names the queue, says what happened and what to do, and holds no secret.</summary>
public sealed class QueueException(QueueFailure failure, string message, Exception? cause = null) : Exception(message, cause)
{
    public QueueFailure Failure { get; } = failure;
}
