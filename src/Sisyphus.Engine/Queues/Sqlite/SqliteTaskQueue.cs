using System.Runtime.CompilerServices;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>A queue in one file, for the processes of one machine.</summary>
internal sealed class SqliteTaskQueue : ITaskQueue
{
    public const string Scheme = "sqlite:";
    private const int PageSize = 500;
    /// <summary>A dead letter carries its document, of up to 1 MiB.</summary>
    private const int DeadLetterPageSize = 20;

    public SqliteTaskQueue(string path, QueueOptions options, TimeProvider time, SqliteSettings? settings = null)
    {
        Options = options;
        File = new QueueFile(path, settings ?? new SqliteSettings());
        Clock = new QueueClock(time);
        Settling = new Settling(Clock, options);
        Claiming = new Claiming(Clock, options, Settling);
        Registry = new Registry(Clock, Settling);
        Upkeep = new Upkeep(File, Clock, Registry, options.Retention);
        Cancelling = new Cancelling(Clock, Settling);
    }

    public string Address => Scheme + File.FilePath;

    public string? Trouble => null;

    public string? Outage => null;

    public QueueOptions Options { get; }

    public QueueFile File { get; }

    public QueueClock Clock { get; }

    public Settling Settling { get; }

    public Claiming Claiming { get; }

    public Registry Registry { get; }

    public Upkeep Upkeep { get; }

    private Cancelling Cancelling { get; }

    public async Task<QueueInfo> GetInfoAsync(CancellationToken cancellationToken)
    {
        await Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
        return await File.ReadAsync(connection => QueueCounts.Read(connection, this), cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<SendOutcome>> SendAsync(IReadOnlyList<TaskDocument> tasks, CancellationToken cancellationToken)
    {
        if (tasks.Count is < 1 or > Sending.MostAtOnce)
            throw new ArgumentException($"{tasks.Count} tasks in one batch; allowed: 1 to {Sending.MostAtOnce}.", nameof(tasks));
        if (tasks.FirstOrDefault(task => task.Id is null) is { } nameless)
            throw new ArgumentException($"A task has no id: {nameless}.", nameof(tasks));
        if (tasks.FirstOrDefault(task => task.Workflow is { } workflow && !WorkflowName.IsValid(workflow)) is { } astray)
            throw new ArgumentException($"The workflow of task {astray} is '{astray.Workflow}'; allowed: {WorkflowName.Allowed}.", nameof(tasks));
        var written = await Task.Run(() => tasks.Select(task => (task, TaskDocumentWriter.Write(task))).ToArray(), cancellationToken).ConfigureAwait(false);
        return await File.WriteAsync(connection => Sending.Send(connection, Clock, written), cancellationToken).ConfigureAwait(false);
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

    public Task<IReadOnlyList<CancelOutcome>> CancelAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        File.WriteAsync<IReadOnlyList<CancelOutcome>>(connection => [.. taskIds.Select(id => Cancelling.Cancel(connection, id))], cancellationToken);

    public async IAsyncEnumerable<TaskSummary> GetTasksAsync(TaskQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (query.Last < 1)
            throw new ArgumentException($"{nameof(query.Last)} is {query.Last}; allowed: 1 or more.", nameof(query));
        await Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
        var after = query.Last is { } last
            ? await File.ReadAsync(connection => TaskList.FirstOfLast(connection, query, last), cancellationToken).ConfigureAwait(false)
            : 0;
        while (true)
        {
            var page = await File.ReadAsync(connection => TaskList.Read(connection, query, after, PageSize), cancellationToken).ConfigureAwait(false);
            foreach (var (sequence, task) in page)
            {
                yield return task;
                after = sequence;
            }
            if (page.Count < PageSize)
                yield break;
        }
    }

    public Task<long> GetLastEventAsync(CancellationToken cancellationToken) => File.ReadAsync(EventLog.Last, cancellationToken);

    public async IAsyncEnumerable<QueueEvent> ReadEventsAsync(EventQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ids = Columns.Json(query.TaskIds);
        var after = query.After ?? await File.ReadAsync(EventLog.Last, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await File.PrepareAsync(cancellationToken).ConfigureAwait(false);
            var happened = query.Follow ? File.Signals.Next(Topics.Events) : Task.CompletedTask;
            // What was looked at and did not match need not be looked at again.
            var (page, seen) = await File.ReadAsync(
                connection => (EventLog.Read(connection, after, query.TaskIds, ids, PageSize), EventLog.Last(connection)), cancellationToken).ConfigureAwait(false);
            foreach (var item in page)
                yield return item;
            if (page.Count == PageSize)
            {
                after = page[^1].Sequence;
                continue;
            }
            after = Math.Max(after, seen);
            if (!query.Follow)
                yield break;
            await Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
            await WaitAsync(happened, null, cancellationToken).ConfigureAwait(false);
        }
    }

    public IAsyncEnumerable<OutputLine> ReadOutputAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        new OutputReader(this, OutputWish.Check(taskIds)).ReadAsync(cancellationToken);

    public async IAsyncEnumerable<DeadLetter> GetDeadLettersAsync(IReadOnlyList<string> taskIds, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
        var ids = Columns.Json(taskIds);
        var after = 0L;
        while (true)
        {
            var page = await File.ReadAsync(connection => DeadLetters.Read(connection, taskIds, ids, after, DeadLetterPageSize), cancellationToken).ConfigureAwait(false);
            foreach (var (sequence, letter) in page)
            {
                yield return letter;
                after = sequence;
            }
            if (page.Count < DeadLetterPageSize)
                yield break;
        }
    }

    public Task<IReadOnlyList<bool>> ResumeAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        File.WriteAsync<IReadOnlyList<bool>>(connection => [.. taskIds.Select(id => DeadLetters.Resume(connection, Clock, id))], cancellationToken);

    public async Task<IReadOnlyList<NodeInfo>> GetNodesAsync(CancellationToken cancellationToken)
    {
        await Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
        var nodes = await File.ReadAsync(NodeList.Read, cancellationToken).ConfigureAwait(false);
        return nodes.ToArray();
    }

    public async Task<bool> StopNodeAsync(string node, NodeStop how, CancellationToken cancellationToken)
    {
        await Upkeep.RunForReaderAsync(cancellationToken).ConfigureAwait(false);
        return await File.WriteAsync(
            connection =>
            {
                // One that counts as lost may only be hung; it obeys when it comes back.
                var nodes = connection.Query(
                    "SELECT session, state FROM nodes WHERE name = @name AND state <> 'Left'", row => (Session: row.GetInt64(0), State: row.Word<NodeState>(1)), ("@name", node));
                if (nodes.Count == 0 || (nodes[0].State == NodeState.Lost && NodeLock.IsFree(File.NodesFolder, node)))
                    return false;
                Orders.Stop(connection, nodes[0].Session, how);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

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

    public ValueTask DisposeAsync() => File.DisposeAsync();
}
