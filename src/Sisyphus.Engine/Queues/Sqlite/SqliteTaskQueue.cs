using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>A queue in one file, for the processes of one machine.</summary>
internal sealed class SqliteTaskQueue : ITaskQueue
{
    public const string Scheme = "sqlite:";

    public SqliteTaskQueue(string path, QueueOptions options, TimeProvider time, SqliteSettings? settings = null)
    {
        Options = options;
        File = new QueueFile(path, settings ?? new SqliteSettings());
        Clock = new QueueClock(time);
        Settling = new Settling(Clock, options);
        Claiming = new Claiming(Clock, options, Settling);
        Registry = new Registry(Clock, Settling);
        Upkeep = new Upkeep(File, Clock, Registry);
    }

    public string Address => Scheme + File.FilePath;

    public QueueOptions Options { get; }

    public QueueFile File { get; }

    public QueueClock Clock { get; }

    public Settling Settling { get; }

    public Claiming Claiming { get; }

    public Registry Registry { get; }

    public Upkeep Upkeep { get; }

    public Task<QueueInfo> GetInfoAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<IReadOnlyList<SendOutcome>> SendAsync(IReadOnlyList<TaskDocument> tasks, CancellationToken cancellationToken)
    {
        if (tasks.Count is < 1 or > Sending.MostAtOnce)
            throw new ArgumentException($"{tasks.Count} tasks in one batch; allowed: 1 to {Sending.MostAtOnce}.", nameof(tasks));
        if (tasks.FirstOrDefault(task => task.Id is null) is { } nameless)
            throw new ArgumentException($"A task has no id: {nameless}.", nameof(tasks));
        var written = tasks.Select(task => (task, TaskDocumentWriter.Write(task))).ToArray();
        return File.WriteAsync(connection => Sending.Send(connection, Clock, written), cancellationToken);
    }

    public async Task<INodeSession> JoinAsync(NodeRegistration node, CancellationToken cancellationToken)
    {
        if (!TaskId.IsValid(node.Name))
            throw new ArgumentException($"The node's name is '{node.Name}'; allowed: 1 to 128 letters, digits, dots, hyphens and underscores.", nameof(node));
        await File.PrepareAsync(cancellationToken).ConfigureAwait(false);
        var nameLock = await NodeLock.TryTakeAsync(File.NodesFolder, node.Name, cancellationToken).ConfigureAwait(false)
            ?? throw new QueueException(QueueFailure.NodeNameTaken, $"A living process is the node {node.Name} of the queue {File.FilePath}. Stop it, or give this node another name.");
        try
        {
            var session = Random.Shared.NextInt64(1, long.MaxValue);
            await File.WriteAsync(
                connection =>
                {
                    Registry.Join(connection, session, node);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
            return new SqliteNodeSession(this, node, session, nameLock);
        }
        catch
        {
            await nameLock.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task<IReadOnlyList<CancelOutcome>> CancelAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => throw new NotImplementedException();

    public IAsyncEnumerable<TaskSummary> GetTasksAsync(TaskQuery query, CancellationToken cancellationToken) => throw new NotImplementedException();

    public IAsyncEnumerable<QueueEvent> ReadEventsAsync(EventQuery query, CancellationToken cancellationToken) => throw new NotImplementedException();

    public IAsyncEnumerable<DeadLetter> GetDeadLettersAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<IReadOnlyList<bool>> ResumeAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<IReadOnlyList<NodeInfo>> GetNodesAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    public Task<bool> StopNodeAsync(string node, NodeStop how, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Until the signal, or until it is time to look anyway.</summary>
    public async Task WaitAsync(Task signal, TimeSpan? atMost, CancellationToken cancellationToken)
    {
        var patience = File.Signals.Patience;
        if (atMost < patience)
            patience = atMost.Value + TimeSpan.FromMilliseconds(1);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(signal, Task.Delay(patience, over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public ValueTask DisposeAsync()
    {
        File.Dispose();
        return ValueTask.CompletedTask;
    }
}
