using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;
using Sisyphus.Engine.Tasks.Reading;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>Makes a lease of a message from a lane, or does with it what else has to be done.</summary>
internal sealed class Taking(BrokerParts parts, NodeRegistration node, Leases leases, Returns returns)
{
    private const int MostTries = 5;
    /// <summary>Of an error's text, which is also written to the event stream.</summary>
    private const int MaxProblem = 4000;
    /// <summary>A quorum queue that has limits of its own gives a message up after 20 deliveries.</summary>
    private const int RenewAfterDeliveries = 10;
    private static readonly TimeSpan s_releaseTime = TimeSpan.FromSeconds(5);
    private static readonly HashSet<string> s_contentTypes = new(StringComparer.OrdinalIgnoreCase) { "", "text/plain", "application/json", "text/json", "application/octet-stream" };

    /// <returns>Null when the message was no task to run here: then it is somewhere else, or done with.</returns>
    /// <param name="fits">Whether there is room for the task.</param>
    public async Task<(HeldTask Task, IReadOnlyList<string> Warnings)?> TakeAsync(Attachment attachment, Incoming message, Func<TaskDocument, bool> fits, Action passedOver)
    {
        if (await ReadAsync(message).ConfigureAwait(false) is not { } read)
        {
            await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
            return null;
        }
        var (ticket, document, warnings) = read;
        if (await returns.DropIfEndedAsync(ticket, CancellationToken.None).ConfigureAwait(false))
        {
            await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
            return null;
        }
        if (LeftOver(ticket) is { } wait)
        {
            await parts.PutLaterAsync(ticket, message.Body, wait, CancellationToken.None).ConfigureAwait(false);
            await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
            return null;
        }
        if (Deliveries(message) >= RenewAfterDeliveries)
        {
            await parts.PutInFrontAsync(ticket, message.Body, CancellationToken.None).ConfigureAwait(false);
            await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
            return null;
        }
        if (!fits(document))
        {
            passedOver();
            await parts.PutLaterAsync(ticket, message.Body, Topology.PassedOverDelay, CancellationToken.None).ConfigureAwait(false);
            await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
            return null;
        }
        var task = await LeaseAsync(ticket, document, message.Body).ConfigureAwait(false);
        // Where this fails the message is delivered again, to whom we will say that the task is ours.
        await attachment.AckAsync(message.Channel, message.Tag).ConfigureAwait(false);
        return task is null ? null : (task, warnings);
    }

    /// <summary>Of a task that was sent twice, or left by a claim that was cut short, while another copy waits for the next attempt: this one waits as well. Not dropped, for nobody can be sure of the other.</summary>
    /// <returns>For how long; null for the copy that its last node has put back.</returns>
    private TimeSpan? LeftOver(Ticket ticket) =>
        parts.Board.Find(ticket.Id) is { IsHeld: false, Summary: { HasEnded: false, NotBefore: { } until } } known && ticket.Claims < known.Claims && until > parts.Now
            && parts.Options.Retry.StepOf(until - parts.Now) is var step && step > TimeSpan.Zero
            ? step
            : null;

    /// <returns>Null when the task is over, or runs elsewhere.</returns>
    private async Task<HeldTask?> LeaseAsync(Ticket ticket, TaskDocument document, ReadOnlyMemory<byte> body)
    {
        for (var tries = 0; tries < MostTries; tries++)
        {
            var known = parts.Board.Find(ticket.Id);
            if (known is { IsOver: true } && await returns.DropIfEndedAsync(ticket, CancellationToken.None).ConfigureAwait(false))
                return null;
            ticket = known?.Update(ticket) ?? ticket;
            if (known is { IsHeld: true })
            {
                // A second copy of the task: sent twice, or left by a claim that was cut short.
                var holder = known.Summary.Node!;
                // The copy may be an old one that knows less: its acknowledgement was lost with the node that claimed it.
                var asked = ticket with { Claims = known.Claims, Epoch = -1, Claimed = known.Summary.Started ?? default };
                if (await returns.FindOutAsync(asked, holder, known.Session!, CancellationToken.None).ConfigureAwait(false) is var holding && holding == Holding.Held)
                    return null;
                if (await returns.FreeAsync(asked, holder, known.Session!, holding, body, CancellationToken.None).ConfigureAwait(false) is not { } freed)
                    return null;
                ticket = freed;
            }
            if (await TryLeaseAsync(ticket, document, body).ConfigureAwait(false) is { } task)
                return task;
        }
        throw parts.Calls.Failure(QueueFailure.Unavailable, $"task {ticket.Id} could not be claimed: others always were faster.");
    }

    private async Task<HeldTask?> TryLeaseAsync(Ticket ticket, TaskDocument document, ReadOnlyMemory<byte> body)
    {
        var claims = Math.Max(ticket.Claims, parts.Board.Find(ticket.Id)?.Claims ?? 0) + 1;
        var leased = ticket with { Claims = claims, Owner = leases.Node, Session = leases.Session, Epoch = 0, Claimed = parts.Now };
        var task = new HeldTask(leased, body, document) { Wanted = parts.Time.GetTimestamp(), Told = parts.Now };
        if (!leases.TryAdd(task))
            return null;
        try
        {
            var writing = leases.WriteAsync(task, leased, CancellationToken.None);
            var isOurs = await parts.Feed.AskAsync(Claimed(task), CancellationToken.None).ConfigureAwait(false);
            await writing.ConfigureAwait(false);
            if (isOurs)
            {
                task.State = HoldState.Held;
                return task;
            }
        }
        catch
        {
            await leases.DropAsync(task).ConfigureAwait(false);
            await TryReleaseAsync(task).ConfigureAwait(false);
            throw;
        }
        await leases.DropAsync(task).ConfigureAwait(false);
        return null;
    }

    /// <summary>The claim may have been written, although nobody heard so: then it is taken back. Where that fails, whoever meets the task asks us.</summary>
    private async Task TryReleaseAsync(HeldTask task)
    {
        using var limit = new CancellationTokenSource(s_releaseTime);
        var released = Claimed(task) with { Kind = LogEntryKind.TaskReleased, State = TaskState.Queued, Message = Returns.CutShort };
        await parts.Writer.WriteAsync(released, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public LogEntry Claimed(HeldTask task) => new()
    {
        Kind = LogEntryKind.TaskClaimed, Time = parts.Now, Task = task.Id, Name = task.Task.Name, Workflow = task.Task.Workflow, Image = task.Task.Image, Priority = task.Task.Priority, Sent = task.Ticket.Sent,
        Node = node.Name, Session = leases.Session, Claim = task.Ticket.Claims, State = TaskState.Initializing, Attempt = task.Ticket.FailedAttempts + 1, Attempts = task.Ticket.FailedAttempts, Losses = task.Ticket.Losses,
        Started = task.Ticket.Claimed,
    };

    private async Task<(Ticket Ticket, TaskDocument Document, IReadOnlyList<string> Warnings)?> ReadAsync(Incoming message)
    {
        // The queue where it was met, whatever its headers say.
        var lane = QueueNames.LaneOfFront(message.Queue);
        var properties = message.Properties;
        var own = Ticket.Read(properties);
        var ticket = own is not null ? own.Believed() with { Lane = lane } : new Ticket
        {
            Id = TaskId.IsValid(properties.MessageId) ? properties.MessageId! : "",
            Lane = lane,
            Sent = properties.IsTimestampPresent() && properties.Timestamp.UnixTime is > 0 and < 253402300800 ? DateTimeOffset.FromUnixTimeSeconds(properties.Timestamp.UnixTime) : parts.Now,
        };
        // Whose id this is, when the message itself does not hold what it says.
        var isItsOwnId = own is not null;
        string problem;
        try
        {
            if (message.Body.Length > Limits.MaxDocumentBytes)
                throw new FormatException($"It has {message.Body.Length:N0} bytes; allowed: {Limits.MaxDocumentBytes:N0}.");
            if (message.Body.Length == 0)
                throw new FormatException("It is empty.");
            if (!s_contentTypes.Contains((properties.ContentType ?? "").Split(';')[0].Trim()))
                throw new FormatException($"Its content type is '{properties.ContentType}'; allowed: application/json and text/plain.");
            if (properties.ContentEncoding is { Length: > 0 } encoding && !encoding.Replace("-", "", StringComparison.Ordinal).Equals("utf8", StringComparison.OrdinalIgnoreCase))
                throw new FormatException($"Its content encoding is '{encoding}'; allowed: utf-8.");
            var document = TaskDocumentReader.ReadLenient(message.Body, out var warnings);
            // The original's documents have no ids, and each message is a task of its own.
            var id = document.Id ?? (ticket.Id.Length > 0 ? ticket.Id : TaskId.New());
            if (own is null || id == own.Id)
                return (ticket with { Id = id }, document with { Id = id, Workflow = document.Workflow ?? parts.Names.LaneOf(lane)?.Workflow }, warnings);
            isItsOwnId = false;
            problem = $"The document's id is '{id}', but it was sent as '{own.Id}'.";
        }
        catch (Exception error) when (error is InvalidTaskDocumentException or FormatException)
        {
            problem = error.Message;
        }
        catch (Exception error)
        {
            // A defect of ours must not make it come back for ever.
            problem = $"It could not be read: {error.Message}";
        }
        // The end of a message that is no task must not be taken for the end of a task that somebody else sent.
        if (ticket.Id.Length == 0 || (!isItsOwnId && await IsKnownAsync(ticket.Id).ConfigureAwait(false)))
            ticket = ticket with { Id = TaskId.New() };
        await RejectUnreadableAsync(ticket, problem.Length <= MaxProblem ? problem : problem[..MaxProblem] + " …", message.Body).ConfigureAwait(false);
        return null;
    }

    private async Task<bool> IsKnownAsync(string id)
    {
        await parts.Feed.CatchUpAsync(CancellationToken.None).ConfigureAwait(false);
        return parts.Board.Find(id) is not null;
    }

    private async Task RejectUnreadableAsync(Ticket ticket, string problem, ReadOnlyMemory<byte> body)
    {
        var note = new LetterNote { State = FailureReason.InvalidDocument.ToState(), Reason = FailureReason.InvalidDocument, Message = problem, Finished = parts.Now };
        await parts.Letters.PutAsync(ticket, note, body, CancellationToken.None).ConfigureAwait(false);
        await parts.Writer.WriteAsync(
            new LogEntry { Kind = LogEntryKind.TaskEnded, Time = parts.Now, Task = ticket.Id, State = note.State, Reason = note.Reason, Message = problem, Attempts = 0, Finished = note.Finished },
            CancellationToken.None).ConfigureAwait(false);
    }

    private static long Deliveries(Incoming message) =>
        message.Properties.Headers?.TryGetValue("x-delivery-count", out var count) == true && count is long number ? number : 0;
}
