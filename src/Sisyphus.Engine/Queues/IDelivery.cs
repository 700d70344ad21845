using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>A task that the queue leased to a node, with the means to say what became of it.</summary>
/// <remarks>The lease lasts <see cref="INodeSession.LeaseTime"/> by the queue's clock from the claim and from each renewal.
/// The methods that settle it (complete, retry, reject, release) return false, and change nothing, when the task is another's by then or settled already.</remarks>
public interface IDelivery
{
    /// <summary>Valid, and with an id.</summary>
    TaskDocument Document { get; }

    /// <summary>What reading the document ignored, because it is newer than this version; for a person.</summary>
    IReadOnlyList<string> Warnings { get; }

    DateTimeOffset Sent { get; }

    /// <summary>Attempts that ended in a failure of the task and were charged to it; the one to come is this + 1.</summary>
    int FailedAttempts { get; }

    /// <summary>How often a node that had the task was lost.</summary>
    int Losses { get; }

    /// <summary>Keeps the lease for another <see cref="INodeSession.LeaseTime"/>. A lease that lapsed is taken again as long as nobody else has claimed the task.</summary>
    Task<LeaseState> RenewAsync(CancellationToken cancellationToken);

    /// <summary>For the event log and the state that others see; nothing happens when the lease is lost.</summary>
    Task ReportAsync(TaskState state, CancellationToken cancellationToken);

    Task WarnAsync(string message, CancellationToken cancellationToken);

    /// <summary>A line that the task's commands wrote, for those who read its output (<see cref="ITaskQueue.ReadOutputAsync"/>); where nobody does it is forgotten at once. Never waits, never fails.</summary>
    void WriteOutput(DateTimeOffset time, OutputStream stream, string line);

    /// <summary>The task is over: complete or canceled.</summary>
    Task<bool> CompleteAsync(TaskEnd end, CancellationToken cancellationToken);

    /// <summary>The attempt failed and is charged; the task comes back after the delay that <see cref="RetrySchedule"/> gives, within a fifth.</summary>
    Task<bool> RetryAsync(TaskEnd failure, CancellationToken cancellationToken);

    /// <summary>The task ended in error: to the dead letters.</summary>
    Task<bool> RejectAsync(TaskEnd end, CancellationToken cancellationToken);

    /// <summary>Back on the queue at once, in its old place, nothing charged: the node could not go on, for a reason that is not the task's.</summary>
    Task<bool> ReleaseAsync(string why, CancellationToken cancellationToken);
}
