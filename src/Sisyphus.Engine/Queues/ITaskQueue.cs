using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>Tasks on their way from senders to nodes. Any number of senders, nodes and watchers use one queue at a time, from any number of processes.</summary>
/// <remarks>Every promise made here is a test of the contract suite, which each implementation passes.
/// Tasks are delivered at least once; that they are published once is the business of the store (docs/stores.md, "Publishing").
/// Failures are <see cref="QueueException"/>s. What was asked before an exception may or may not have happened; asking again is always safe.</remarks>
public interface ITaskQueue : IAsyncDisposable
{
    /// <summary>As <c>Connect-Sisyphus -Broker</c> takes it, without secrets.</summary>
    string Address { get; }

    /// <summary>Why it takes no tasks for the moment, so that a send waits; null when it does.</summary>
    string? Trouble { get; }

    /// <summary>Why it can't be reached for the moment, so that whoever follows it or waits hears nothing; without secrets, null when it can.</summary>
    string? Outage { get; }

    /// <summary>What it is and how much is on it.</summary>
    Task<QueueInfo> GetInfoAsync(CancellationToken cancellationToken);

    /// <summary>Puts tasks on the queue; returns when each of them is on durable storage or has an outcome that says why not. Order among tasks of one priority is kept where the queue can.</summary>
    /// <param name="tasks">Each with an id; 1 to 10,000.</param>
    /// <returns>An outcome for each task, in the same order.</returns>
    /// <exception cref="ArgumentException">A task has no id, or a workflow of no possible name.</exception>
    /// <exception cref="OperationCanceledException">Some of the tasks may be on the queue; what readers were told of is sent within a second.</exception>
    Task<IReadOnlyList<SendOutcome>> SendAsync(IReadOnlyList<TaskDocument> tasks, CancellationToken cancellationToken);

    /// <summary>Registers a node and makes its name exclusive to it for as long as the session is open. What an earlier session of the name had leased is back on the queue, counted as lost.</summary>
    /// <exception cref="QueueException"><see cref="QueueFailure.NodeNameTaken"/> when a living node has the name.</exception>
    Task<INodeSession> JoinAsync(NodeRegistration node, CancellationToken cancellationToken);

    /// <summary>Cancels tasks, durably. One that waits never starts; one that runs is told to stop through its node; one that is published already stays published.</summary>
    /// <returns>An outcome for each id, in the same order.</returns>
    Task<IReadOnlyList<CancelOutcome>> CancelAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>Tasks that the queue knows: those that wait or run, and those that ended within its retention. In the order in which they were sent.</summary>
    IAsyncEnumerable<TaskSummary> GetTasksAsync(TaskQuery query, CancellationToken cancellationToken);

    /// <summary>What happened, oldest first; with <see cref="EventQuery.Follow"/> also what happens, within 100 ms and without an end.</summary>
    IAsyncEnumerable<QueueEvent> ReadEventsAsync(EventQuery query, CancellationToken cancellationToken);

    /// <summary>The sequence of the last event by now, 0 where there is none: what happens later comes after it.</summary>
    Task<long> GetLastEventAsync(CancellationToken cancellationToken);

    /// <summary>Lines that these tasks write from now on, each within a second, also those of later attempts. Ends when the tasks have ended; one that is not known counts as such.</summary>
    /// <remarks>For watching, not for keeping: nothing is sent that nobody reads, and nothing waits for who reads. Of a task that writes faster than some 64 KiB a second, and for a reader that is slow, lines are left out, the oldest first; <see cref="OutputLine.Dropped"/> counts them. Who stops reading for a minute is no reader any more until he goes on.</remarks>
    /// <param name="taskIds">1 to 100.</param>
    /// <exception cref="ArgumentException">No tasks, too many, or what is no id.</exception>
    IAsyncEnumerable<OutputLine> ReadOutputAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>Tasks that ended in error, oldest first; over a broker in pages of 32 MiB, each in this order. They stay until they are resumed or removed, whatever the retention.</summary>
    /// <param name="taskIds">Only these; none for all.</param>
    IAsyncEnumerable<DeadLetter> GetDeadLettersAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>Puts dead letters back on the queue, with their attempts and losses counted from 0 again.</summary>
    /// <returns>For each id, in the same order, whether it was a dead letter.</returns>
    Task<IReadOnlyList<bool>> ResumeAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken);

    /// <summary>The nodes that are there, and those that were lost or left within the retention.</summary>
    Task<IReadOnlyList<NodeInfo>> GetNodesAsync(CancellationToken cancellationToken);

    /// <summary>Orders a node to stop, durably: one that is hung obeys when it comes back.</summary>
    /// <returns>Whether a node of that name is there; one that is cut off is not, and obeys all the same when it comes back.</returns>
    Task<bool> StopNodeAsync(string node, NodeStop how, CancellationToken cancellationToken);
}
