using System.Runtime.CompilerServices;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>The distributed queue, on a RabbitMQ broker from 3.10 on. docs/rabbitmq.md tells how it works.</summary>
internal sealed class RabbitMqTaskQueue : ITaskQueue
{
    private const int MostCancelsAtOnce = 100;

    private readonly BrokerParts _parts;
    private readonly Sending _sending;
    private readonly NodeRoll _roll;

    public RabbitMqTaskQueue(BrokerAddress address, QueueOptions options, TimeProvider time)
    {
        _parts = new BrokerParts(address, options, time);
        _sending = new Sending(_parts);
        _roll = new NodeRoll(_parts);
    }

    public string Address => _parts.Address.ToString();

    public string? Trouble => _parts.Blocked is { } reason ? $"The broker takes nothing for now: {reason}." : null;

    public string? Outage => _parts.Reading.Lost;

    public BrokerParts Parts => _parts;

    public async Task<QueueInfo> GetInfoAsync(CancellationToken cancellationToken)
    {
        await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        var connection = await _parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var tasks = _parts.Board.Tasks();
        var now = _parts.Now;
        var ready = tasks.Where(task => task.Summary is { State: TaskState.Queued } && !(task.Summary.NotBefore > now)).ToArray();
        var nodes = await _roll.ReadAsync(cancellationToken).ConfigureAwait(false);
        return new QueueInfo
        {
            Address = Address,
            Kind = $"RabbitMQ {BrokerVersion.Read(connection.ServerProperties)}, {await KindAsync(connection, cancellationToken).ConfigureAwait(false)} queues, events on a stream",
            Ready = Math.Max(ready.Length, await WaitingAsync(connection, tasks, cancellationToken).ConfigureAwait(false)),
            Delayed = tasks.Count(task => task.Summary is { State: TaskState.Queued } && task.Summary.NotBefore > now),
            Leased = tasks.Count(task => task.IsHeld),
            DeadLetters = await _parts.Inquiries.CountAsync(connection, _parts.Names.Dead, cancellationToken).ConfigureAwait(false) ?? 0,
            Ended = tasks.Count(task => task.Summary.State is TaskState.Complete or TaskState.Canceled),
            Nodes = nodes.Count(node => node.State is not (NodeState.Left or NodeState.Lost)),
            OldestReady = ready.Length == 0 ? null : ready.Min(task => task.Summary.Sent),
            LeaseTime = _parts.Options.LeaseTime,
            Retention = _parts.Options.Retention,
        };
    }

    public Task<IReadOnlyList<SendOutcome>> SendAsync(IReadOnlyList<TaskDocument> tasks, CancellationToken cancellationToken)
    {
        if (tasks.Count is < 1 or > Sending.MostAtOnce)
            throw new ArgumentException($"{tasks.Count} tasks in one batch; allowed: 1 to {Sending.MostAtOnce}.", nameof(tasks));
        if (tasks.FirstOrDefault(task => task.Id is null) is { } nameless)
            throw new ArgumentException($"A task has no id: {nameless}.", nameof(tasks));
        if (tasks.FirstOrDefault(task => task.Workflow is { } workflow && !WorkflowName.IsValid(workflow)) is { } astray)
            throw new ArgumentException($"The workflow of task {astray} is '{astray.Workflow}'; allowed: {WorkflowName.Allowed}.", nameof(tasks));
        return _sending.SendAsync(tasks, cancellationToken);
    }

    public async Task<INodeSession> JoinAsync(NodeRegistration node, CancellationToken cancellationToken)
    {
        if (!TaskId.IsValid(node.Name))
            throw new ArgumentException($"The node's name is '{node.Name}'; allowed: 1 to 128 letters, digits, dots, hyphens and underscores.", nameof(node));
        return await RabbitMqNodeSession.JoinAsync(_parts, node, cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<CancelOutcome>> CancelAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken)
    {
        await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        List<CancelOutcome> outcomes = [];
        foreach (var some in taskIds.Chunk(MostCancelsAtOnce))
            outcomes.AddRange(await Task.WhenAll(some.Select(id => CancelAsync(id, cancellationToken))).ConfigureAwait(false));
        return outcomes.ToArray();
    }

    public async IAsyncEnumerable<TaskSummary> GetTasksAsync(TaskQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (query.Last < 1)
            throw new ArgumentException($"{nameof(query.Last)} is {query.Last}; allowed: 1 or more.", nameof(query));
        await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        HashSet<string> ids = [.. query.Ids];
        var chosen = _parts.Board.Tasks().Select(task => task.Summary).Where(task =>
            (ids.Count == 0 || ids.Contains(task.Id))
            && (query.States.Count == 0 || query.States.Contains(task.State))
            && (query.Workflow is null || task.Workflow == query.Workflow)
            && (query.Node is null || task.Node == query.Node));
        foreach (var task in query.Last is { } last ? chosen.TakeLast(last) : chosen)
            yield return task;
    }

    public async Task<long> GetLastEventAsync(CancellationToken cancellationToken)
    {
        await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        return _parts.Feed.LastEvent;
    }

    public async IAsyncEnumerable<QueueEvent> ReadEventsAsync(EventQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await _parts.Topology.EnsureLogAsync(await _parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        if (query is { After: null, Follow: false })
            yield break;
        HashSet<string> ids = [.. query.TaskIds];
        var log = new EventLog(_parts);
        var sieve = new EventSieve(_parts.Time, _parts.Options.Retention);
        await foreach (var (sequence, entry) in log.ReadAsync(query.After, query.Follow, cancellationToken).ConfigureAwait(false))
        {
            if ((ids.Count == 0 || (entry.Task is not null && ids.Contains(entry.Task))) && sieve.Passes(entry) && entry.ToEvent(sequence) is { } happened)
                yield return happened;
        }
    }

    public IAsyncEnumerable<OutputLine> ReadOutputAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken) =>
        new OutputReader(_parts, OutputWish.Check(taskIds)).ReadAsync(cancellationToken);

    public IAsyncEnumerable<DeadLetter> GetDeadLettersAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken)
    {
        HashSet<string> wanted = [.. taskIds];
        return _parts.Letters.ReadAsync(id => wanted.Count == 0 || wanted.Contains(id), cancellationToken);
    }

    public async Task<IReadOnlyList<bool>> ResumeAsync(IReadOnlyList<string> taskIds, CancellationToken cancellationToken)
    {
        HashSet<string> wanted = [.. taskIds];
        HashSet<string> resumed = [];
        await _parts.Letters.VisitAsync(
            async (ticket, letter, document) =>
            {
                if (!wanted.Contains(ticket.Id))
                    return LetterFate.Stays;
                // Twice there, where its writer did not hear that it had arrived.
                if (resumed.Contains(ticket.Id))
                    return LetterFate.Goes;
                if (!await ResumeAsync(ticket, letter, document, cancellationToken).ConfigureAwait(false))
                    return LetterFate.Stays;
                resumed.Add(ticket.Id);
                return LetterFate.Goes;
            },
            cancellationToken).ConfigureAwait(false);
        // Of an id that is named twice the first is resumed.
        return taskIds.Select(resumed.Remove).ToArray();
    }

    public async Task<IReadOnlyList<NodeInfo>> GetNodesAsync(CancellationToken cancellationToken)
    {
        await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        return await _roll.ReadAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<bool> StopNodeAsync(string node, NodeStop how, CancellationToken cancellationToken)
    {
        await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        if (_parts.Board.FindNode(node) is not { } known || known.State == NodeState.Left)
            return false;
        // One that is not heard of may be hung, or cut off: it obeys when it comes back.
        var isTold = await _parts.Feed.AskAsync(new LogEntry { Kind = LogEntryKind.NodeStop, Time = _parts.Now, Node = node, Session = known.Session, Stop = how }, cancellationToken).ConfigureAwait(false);
        return isTold && (!NodeRoll.IsSilent(_parts, known) || await IsConnectedAsync(node, cancellationToken).ConfigureAwait(false));
    }

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    private async Task<bool> IsConnectedAsync(string node, CancellationToken cancellationToken)
    {
        var connection = await _parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false);
        foreach (var queue in _parts.Names.Node(node))
        {
            if (await _parts.Inquiries.IsTakenAsync(connection, queue, cancellationToken).ConfigureAwait(false))
                return true;
        }
        return false;
    }

    private async Task<CancelOutcome> CancelAsync(string id, CancellationToken cancellationToken)
    {
        if (_parts.Board.Find(id) is not { } before)
        {
            // It may wait all the same: from another client, or from before what the log keeps. Whoever meets it then knows that it is not wanted.
            if (TaskId.IsValid(id))
                await _parts.Feed.AskAsync(new LogEntry { Kind = LogEntryKind.CancelRequested, Time = _parts.Now, Task = id, State = TaskState.Queued }, cancellationToken).ConfigureAwait(false);
            return new CancelOutcome(id, CancelResult.Unknown, null);
        }
        if (before.Summary.HasEnded)
            return new CancelOutcome(id, CancelResult.AlreadyEnded, before.Summary.State);
        var changed = await _parts.Feed.AskAsync(
            new LogEntry { Kind = LogEntryKind.CancelRequested, Time = _parts.Now, Task = id, Name = before.Summary.Name, State = before.Summary.State, Node = before.Summary.Node }, cancellationToken).ConfigureAwait(false);
        var after = _parts.Board.Find(id)!;
        if (!after.Summary.HasEnded)
            return new CancelOutcome(id, CancelResult.Requested, after.Summary.State);
        if (!changed || after.Summary.State != TaskState.Canceled)
            return new CancelOutcome(id, CancelResult.AlreadyEnded, after.Summary.State);
        if (!after.IsEndTold)
            await _parts.TellCanceledAsync(after, cancellationToken).ConfigureAwait(false);
        return new CancelOutcome(id, CancelResult.Canceled, TaskState.Canceled);
    }

    /// <returns>False when the task is not over, and some node's business.</returns>
    private async Task<bool> ResumeAsync(Ticket ticket, DeadLetter letter, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        ticket = ticket.Believed();
        var fresh = ticket.Free() with { FailedAttempts = 0, Losses = 0, Attempts = [] };
        var known = _parts.Board.Find(ticket.Id)?.Summary;
        // First the event: whoever meets the message has to know that the task is not over any more.
        var counts = await _parts.Feed.AskAsync(
            new LogEntry { Kind = LogEntryKind.TaskResumed, Time = _parts.Now, Task = ticket.Id, Name = letter.Name, Workflow = letter.Workflow, Image = known?.Image, Priority = known?.Priority, Sent = ticket.Sent, Claim = ticket.Claims, State = TaskState.Queued },
            cancellationToken).ConfigureAwait(false);
        // One that waits may wait in vain, where an earlier resumption came no further than its event; a copy too many is dropped by who meets it.
        if (!counts && _parts.Board.Find(ticket.Id) is not { Summary.State: TaskState.Queued })
            return false;
        await _parts.PutInFrontAsync(fresh, document, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>What lies in the lanes, without what is known to be canceled there.</summary>
    private async Task<long> WaitingAsync(IConnection connection, IReadOnlyList<BoardTask> tasks, CancellationToken cancellationToken)
    {
        long waiting = 0;
        foreach (var lane in _parts.Board.Lanes().Lanes.Select(lane => _parts.Names.Lane(lane.Workflow, lane.Priority)).SelectMany(lane => (string[])[lane, QueueNames.Front(lane)]))
            waiting += await _parts.Inquiries.CountAsync(connection, lane, cancellationToken).ConfigureAwait(false) ?? 0;
        return waiting - tasks.Count(task => task.Summary is { State: TaskState.Canceled } && task.Claims == 0);
    }

    private async Task<string> KindAsync(IConnection connection, CancellationToken cancellationToken)
    {
        await _parts.Topology.EnsurePlainAsync(connection, _parts.Names.Returns, cancellationToken).ConfigureAwait(false);
        return await _parts.Topology.IsQuorumAsync(connection, _parts.Names.Returns, cancellationToken).ConfigureAwait(false) switch
        {
            true => "quorum",
            false when _parts.Topology.RefusesQuorum => "classic (it has no quorum)",
            false => "classic",
            null => "predeclared",
        };
    }
}
