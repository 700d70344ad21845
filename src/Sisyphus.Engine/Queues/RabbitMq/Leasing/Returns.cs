using System.Collections.Concurrent;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>Takes on what comes back: leases that ran out, and tasks whose delay is over. Every node does, whether it has room for tasks or not.</summary>
internal sealed class Returns(BrokerParts parts, Leases leases, Questions questions)
{
    public const ushort MostAtOnce = 20;
    /// <summary>Of a claim that came to nothing.</summary>
    public const string CutShort = "The claim was cut short.";
    /// <summary>Of a node that is busy: then it is stuck, and a few minutes have passed.</summary>
    private const int MostTries = 50;
    /// <summary>How often a node finds that it may not put a task back, while others can take it on, before it gives up.</summary>
    private const int MostRefusals = 4;
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    /// <summary>By the task's id; as many as there are such tasks, which are few or all.</summary>
    private readonly ConcurrentDictionary<string, int> _refused = [];

    /// <summary>Of a node that is asked twice: longer than it takes to connect again.</summary>
    private TimeSpan Pause => parts.Options.LeaseTime / 3 < s_longestPause ? parts.Options.LeaseTime / 3 : s_longestPause;

    private TimeSpan Patience => parts.Options.LeaseTime / 3 < Questions.LongestPatience ? parts.Options.LeaseTime / 3 : Questions.LongestPatience;

    /// <summary>Handles it, and waits where the broker takes nothing for now. What this node may not put back it leaves to others.</summary>
    public async Task TakeOnAsync(Attachment attachment, Incoming message, CancellationToken cancellationToken)
    {
        var id = Ticket.Read(message.Properties)?.Id ?? "";
        while (!attachment.IsBroken)
        {
            try
            {
                await HandleAsync(attachment, message, cancellationToken).ConfigureAwait(false);
                _refused.TryRemove(id, out _);
                return;
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Full)
            {
                await Task.Delay(Pause, parts.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException error) when (error.Failure is QueueFailure.Denied or QueueFailure.NotAQueue)
            {
                await Task.Delay(Pause, parts.Time, cancellationToken).ConfigureAwait(false);
                if (_refused.AddOrUpdate(id, 1, (_, before) => before + 1) < MostRefusals || !await TryBuryAsync(message, error, cancellationToken).ConfigureAwait(false))
                    await attachment.GiveBackAsync(message).ConfigureAwait(false);
                else
                    await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
                return;
            }
        }
    }

    /// <summary>Of a task that nobody could put back: it must not go round for ever.</summary>
    /// <returns>False where not even that is allowed.</returns>
    private async Task<bool> TryBuryAsync(Incoming message, QueueException cause, CancellationToken cancellationToken)
    {
        var ticket = Ticket.Read(message.Properties) ?? Nameless();
        var why = $"It could not be put back on its queue. {cause.Message}";
        try
        {
            await parts.Letters.PutAsync(ticket, Note(FailureReason.Internal, why), message.Body, cancellationToken).ConfigureAwait(false);
            await parts.Feed.AskAsync(
                new LogEntry { Kind = LogEntryKind.TaskEnded, Time = parts.Now, Task = ticket.Id, State = FailureReason.Internal.ToState(), Reason = FailureReason.Internal, Message = why, Attempts = ticket.FailedAttempts, Losses = ticket.Losses, Finished = parts.Now },
                cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.Failure is QueueFailure.Denied or QueueFailure.NotAQueue)
        {
            return false;
        }
        _refused.TryRemove(ticket.Id, out _);
        return true;
    }

    public async Task HandleAsync(Attachment attachment, Incoming message, CancellationToken cancellationToken)
    {
        var ticket = Ticket.Read(message.Properties);
        try
        {
            if (ticket is not null)
                await HandleAsync(ticket, message.Body, cancellationToken).ConfigureAwait(false);
            else
                await RefuseAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not (QueueException or OperationCanceledException or ObjectDisposedException))
        {
            // A defect of ours must not make it come back for ever.
            await parts.Letters.PutAsync(ticket ?? Nameless(), Note(FailureReason.Internal, $"It could not be taken on: {error.Message}"), message.Body, cancellationToken).ConfigureAwait(false);
        }
        await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
    }

    /// <summary>Leaves it to whoever reads the returns.</summary>
    public async Task PassOnAsync(Attachment attachment, Incoming message, CancellationToken cancellationToken)
    {
        var properties = Ticket.Read(message.Properties)?.ToProperties() ?? new BasicProperties { Persistent = true };
        await parts.Publisher.PublishAsync("", parts.Names.Returns, properties, message.Body, mandatory: true, cancellationToken).ConfigureAwait(false);
        await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
    }

    /// <summary>What was sent to one of the nodes' own queues becomes a dead letter.</summary>
    private Task RefuseAsync(Incoming message, CancellationToken cancellationToken) =>
        parts.Letters.PutAsync(Nameless(), Note(FailureReason.InvalidDocument, $"It was sent to {message.Queue}, which is for the nodes alone. Send tasks to {parts.Names.Main}."), message.Body, cancellationToken);

    private Ticket Nameless() => new() { Id = TaskId.New(), Lane = parts.Names.Main, Sent = parts.Now };

    private LetterNote Note(FailureReason reason, string message) => new() { State = TaskState.SystemError, Reason = reason, Message = message, Finished = parts.Now };

    /// <summary>A task that was a session's, and is not any more: back on the queue, counted where that is lost, or ended.</summary>
    /// <returns>The ticket to go on with; null when the task is over.</returns>
    public async Task<Ticket?> FreeAsync(Ticket ticket, string node, string session, Holding holding, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        var before = parts.Board.Find(ticket.Id);
        ticket = before?.Update(ticket) ?? ticket;
        // Counted by somebody who then was cut short himself.
        if (before is { IsHeld: false, Summary.HasEnded: false } && before.Claims == ticket.Claims)
            return ticket.Free();
        var now = parts.Now;
        if (holding == Holding.Released)
        {
            await parts.Feed.AskAsync(
                new LogEntry { Kind = LogEntryKind.TaskReleased, Time = now, Task = ticket.Id, Name = before?.Summary.Name, Node = node, Session = session, Claim = ticket.Claims, State = TaskState.Queued, Attempt = ticket.FailedAttempts + 1, Message = CutShort },
                cancellationToken).ConfigureAwait(false);
            return await DropIfEndedAsync(ticket, cancellationToken).ConfigureAwait(false) ? null : ticket.Free();
        }
        var why = $"The node {node} was lost, or did not renew its lease in time.";
        var losses = ticket.Losses + 1;
        var lost = ticket.Free().With(new AttemptSummary(0, node, ticket.Claimed == default ? now : ticket.Claimed, now, FailureReason.NodeLost, why)) with { Losses = losses };
        var entry = new LogEntry { Kind = LogEntryKind.TaskLost, Time = now, Task = ticket.Id, Name = before?.Summary.Name, Node = node, Claim = ticket.Claims, State = TaskState.Queued, Attempt = ticket.FailedAttempts + 1, Reason = FailureReason.NodeLost, Message = why };
        var isCanceled = before is { Summary.CancelRequested: true };
        if (losses >= parts.Options.MaxLosses && !isCanceled)
        {
            var note = new LetterNote
            {
                Name = before?.Summary.Name, Workflow = before?.Summary.Workflow, State = TaskState.SystemError, Reason = FailureReason.NodeLost, Finished = now,
                Message = $"{losses} {(losses == 1 ? "node was" : "nodes were")} lost while running it, the last one {node}; so it may be what ends them.",
            };
            await parts.Letters.PutAsync(lost, note, document, cancellationToken).ConfigureAwait(false);
            var end = entry with { Kind = LogEntryKind.TaskEnded, State = note.State, Message = note.Message, Attempts = ticket.FailedAttempts, Losses = losses, Finished = now };
            if (!await parts.Feed.AskAsync(end, cancellationToken).ConfigureAwait(false))
                await parts.Letters.TakeBackAsync(note, cancellationToken).ConfigureAwait(false);
            return null;
        }
        await parts.Feed.AskAsync(entry, cancellationToken).ConfigureAwait(false);
        return await DropIfEndedAsync(lost, cancellationToken).ConfigureAwait(false) ? null : lost;
    }

    /// <summary>Whether the task is over by all that is known now; then readers are told, where nobody did.</summary>
    public async Task<bool> DropIfEndedAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (parts.Board.Find(ticket.Id) is not { IsOver: true })
            return false;
        // A resumption may be on its way to us; a message that is dropped is gone.
        await parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        if (parts.Board.Find(ticket.Id) is not { IsOver: true } task)
            return false;
        if (!task.IsEndTold)
            await parts.TellCanceledAsync(task, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Whether a session runs the task: asked twice, where the first answer may come of a bad moment.</summary>
    public async Task<Holding> FindOutAsync(Ticket ticket, string node, string session, CancellationToken cancellationToken)
    {
        for (int tries = 1, unanswered = 0; ; tries++)
        {
            var said = node == leases.Node
                ? await leases.AnswerAsync(ticket.Id, session, ticket.Claims, ticket.Epoch).ConfigureAwait(false)
                : await questions.AskAsync(node, session, ticket.Id, ticket.Claims, ticket.Epoch, Patience, cancellationToken).ConfigureAwait(false);
            switch (said)
            {
                case Answer.Mine:
                    return Holding.Held;
                case Answer.NotMine:
                    return Holding.Released;
                case Answer.Lapsed or Answer.Another:
                    return Holding.Lost;
                case Answer.Busy when tries < MostTries:
                    break;
                default:
                    // It left in order, or joined anew: then it has nothing of what it had.
                    if (++unanswered == 2 || (parts.Board.FindNode(node) is { } known && (known.State == NodeState.Left || known.Session != session)))
                        return Holding.Lost;
                    break;
            }
            await Task.Delay(Pause, parts.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task HandleAsync(Ticket ticket, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        if (await DropIfEndedAsync(ticket, cancellationToken).ConfigureAwait(false))
            return;
        if (ticket.Owner is null)
        {
            await parts.PutInFrontAsync(ticket, document, cancellationToken).ConfigureAwait(false);
            return;
        }
        // Whoever has claimed it since has a lease of his own.
        if (parts.Board.Find(ticket.Id) is { } task && task.Claims > ticket.Claims)
            return;
        if (await FindOutAsync(ticket, ticket.Owner, ticket.Session ?? "", cancellationToken).ConfigureAwait(false) is var holding && holding == Holding.Held)
            return;
        var back = await FreeAsync(ticket, ticket.Owner, ticket.Session ?? "", holding, document, cancellationToken).ConfigureAwait(false);
        if (back is not null)
            await parts.PutInFrontAsync(back, document, cancellationToken).ConfigureAwait(false);
    }
}
