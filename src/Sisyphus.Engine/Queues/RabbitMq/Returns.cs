using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Takes on what comes back: leases that ran out, and tasks whose delay is over. Every node does, whether it has room for tasks or not.</summary>
internal sealed class Returns(BrokerParts parts, Leases leases, Questions questions)
{
    public const ushort MostAtOnce = 20;
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    /// <summary>Of a node that is asked twice: longer than it takes to connect again.</summary>
    private TimeSpan Pause => parts.Options.LeaseTime / 3 < s_longestPause ? parts.Options.LeaseTime / 3 : s_longestPause;

    /// <summary>Handles it, and waits where the broker takes nothing for now.</summary>
    public async Task TakeOnAsync(Attachment attachment, Incoming message, CancellationToken cancellationToken)
    {
        while (!attachment.IsBroken)
        {
            try
            {
                await HandleAsync(attachment, message, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Full)
            {
                await Task.Delay(Pause, parts.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public async Task HandleAsync(Attachment attachment, Incoming message, CancellationToken cancellationToken)
    {
        if (Ticket.Read(message.Properties) is { } ticket)
            await HandleAsync(ticket, message.Body, cancellationToken).ConfigureAwait(false);
        else
            await parts.Letters.PutAsync(new Ticket { Id = TaskId.New(), Lane = parts.Names.Main, Sent = parts.Now }, Foreign(), message.Body, cancellationToken).ConfigureAwait(false);
        await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
    }

    /// <summary>A task that was another session's, and is not any more: back on the queue, counted, or ended.</summary>
    /// <returns>The ticket to go on with; null when the task is over.</returns>
    public async Task<Ticket?> LoseAsync(Ticket ticket, string node, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        var before = parts.Board.Find(ticket.Id);
        ticket = ticket.With(before);
        // Counted by somebody who then was cut short himself.
        if (before is { IsHeld: false, Summary.HasEnded: false } && before.Claims == ticket.Claims)
            return ticket.Free();
        var now = parts.Now;
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
            await parts.Feed.AskAsync(entry with { Kind = LogEntryKind.TaskEnded, State = note.State, Message = note.Message, Attempts = ticket.FailedAttempts, Losses = losses, Finished = now }, cancellationToken).ConfigureAwait(false);
            return null;
        }
        await parts.Feed.AskAsync(entry, cancellationToken).ConfigureAwait(false);
        return await DropIfEndedAsync(lost, cancellationToken).ConfigureAwait(false) ? null : lost;
    }

    /// <summary>Whether the task is over by all that is known now; then readers are told, where nobody did.</summary>
    public async Task<bool> DropIfEndedAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (parts.Board.Find(ticket.Id) is not { Summary.HasEnded: true })
            return false;
        // A resumption may be on its way to us; a message that is dropped is gone.
        await parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
        if (parts.Board.Find(ticket.Id) is not { Summary.HasEnded: true } task)
            return false;
        if (!task.IsEndTold)
            await parts.TellCanceledAsync(task, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Whether another session runs the task: asked twice, where the first answer may come of a bad moment.</summary>
    public async Task<bool> IsHeldAsync(Ticket ticket, string node, string? session, CancellationToken cancellationToken)
    {
        if (node == leases.Node)
            return session == leases.Session && await leases.AnswerAsync(ticket.Id, ticket.Claims, ticket.Epoch).ConfigureAwait(false) == Answer.Mine;
        for (var tries = 1; ; tries++)
        {
            switch (await questions.AskAsync(node, ticket.Id, ticket.Claims, ticket.Epoch, cancellationToken).ConfigureAwait(false))
            {
                case Answer.Mine:
                    return true;
                case Answer.NotMine:
                    return false;
            }
            // It left in order, or joined anew: then it has nothing of what it had.
            if (tries == 2 || (parts.Board.FindNode(node) is { } known && (known.State == NodeState.Left || known.Session != session)))
                return false;
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
        if (await IsHeldAsync(ticket, ticket.Owner, ticket.Session, cancellationToken).ConfigureAwait(false))
            return;
        var back = await LoseAsync(ticket, ticket.Owner, document, cancellationToken).ConfigureAwait(false);
        if (back is not null)
            await parts.PutInFrontAsync(back, document, cancellationToken).ConfigureAwait(false);
    }

    private LetterNote Foreign() => new()
    {
        State = TaskState.SystemError, Reason = FailureReason.InvalidDocument, Finished = parts.Now,
        Message = $"It was sent to {parts.Names.Returns}, which is for the nodes alone. Send tasks to {parts.Names.Main}.",
    };
}
