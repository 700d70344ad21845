using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Tests.Unit.Queues;

/// <summary>A queue that can't be reached for the next few readings, when a test says so: a file can't be made to show that.</summary>
internal sealed class TornQueue(ITaskQueue queue) : ITaskQueue
{
    private int _failing;

    public string Address => queue.Address;

    public string? Trouble => queue.Trouble;

    public string? Outage => queue.Outage;

    /// <summary>Readings that are still to fail.</summary>
    public int Failing => _failing;

    /// <summary>So many readings fail from now on.</summary>
    public void Tear(int readings) => _failing = readings;

    public Task<QueueInfo> GetInfoAsync(CancellationToken cancellationToken) => queue.GetInfoAsync(cancellationToken);

    public Task<IReadOnlyList<SendOutcome>> SendAsync(IReadOnlyList<TaskDocument> tasks, CancellationToken cancellationToken) => queue.SendAsync(tasks, cancellationToken);

    public Task<INodeSession> JoinAsync(NodeRegistration node, CancellationToken cancellationToken) => queue.JoinAsync(node, cancellationToken);

    public Task<IReadOnlyList<CancelOutcome>> CancelAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => queue.CancelAsync(taskIds, cancellationToken);

    public IAsyncEnumerable<TaskSummary> GetTasksAsync(TaskQuery query, CancellationToken cancellationToken) => Torn(queue.GetTasksAsync(query, cancellationToken));

    public IAsyncEnumerable<QueueEvent> ReadEventsAsync(EventQuery query, CancellationToken cancellationToken) => Torn(queue.ReadEventsAsync(query, cancellationToken));

    public Task<long> GetLastEventAsync(CancellationToken cancellationToken) => queue.GetLastEventAsync(cancellationToken);

    public IAsyncEnumerable<OutputLine> ReadOutputAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => queue.ReadOutputAsync(taskIds, cancellationToken);

    public IAsyncEnumerable<DeadLetter> GetDeadLettersAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => queue.GetDeadLettersAsync(taskIds, cancellationToken);

    public Task<IReadOnlyList<bool>> ResumeAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => queue.ResumeAsync(taskIds, cancellationToken);

    public Task<IReadOnlyList<NodeInfo>> GetNodesAsync(CancellationToken cancellationToken) => queue.GetNodesAsync(cancellationToken);

    public Task<bool> StopNodeAsync(string node, NodeStop how, CancellationToken cancellationToken) => queue.StopNodeAsync(node, how, cancellationToken);

    public ValueTask DisposeAsync() => queue.DisposeAsync();

    private async IAsyncEnumerable<T> Torn<T>(IAsyncEnumerable<T> whole)
    {
        Fail();
        await foreach (var item in whole)
        {
            yield return item;
            Fail();
        }
    }

    private void Fail()
    {
        if (_failing == 0)
            return;
        _failing--;
        throw new QueueException(QueueFailure.Unavailable, "Nobody listens there.");
    }
}
