using Sisyphus.Engine.Queues.RabbitMq.Leasing;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>A leased task. The event stream decides who was first; the lease sees to it that the task is never forgotten.</summary>
/// <remarks>The order of writing is always: first the place where the task goes on, then the event, last the end of the lease. Cut short anywhere, there is one copy too many, never one too few.</remarks>
internal sealed class RabbitMqDelivery(BrokerParts parts, Leases leases, Taking taking, OutputOutbox outbox, HeldTask task, IReadOnlyList<string> warnings) : IDelivery
{
    private readonly OutputBuffer _output = outbox.Open(task.Id);
    /// <summary>Of its letter, however often that is tried.</summary>
    private readonly Guid _writer = Guid.NewGuid();
    private TaskState _reported = TaskState.Initializing;

    public TaskDocument Document => task.Task;

    public IReadOnlyList<string> Warnings { get; } = [.. warnings];

    public DateTimeOffset Sent => task.Ticket.Sent;

    public int FailedAttempts { get; } = task.Ticket.FailedAttempts;

    public int Losses { get; } = task.Ticket.Losses;

    private int Attempt => FailedAttempts + 1;

    public Task<LeaseState> RenewAsync(CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            if (await IsLostAsync().ConfigureAwait(false))
                return LeaseState.Lost;
            // Nothing is left to keep, and whoever ended it is yet to hear of it.
            if (IsEndOurs)
                return Held();
            if (task.State == HoldState.Lapsed || parts.Board.Find(task.Id) is { IsHeld: false })
                return await TakeAgainAsync(cancellationToken).ConfigureAwait(false);
            await leases.RenewAsync(task, cancellationToken).ConfigureAwait(false);
            await TellAgainAsync(cancellationToken).ConfigureAwait(false);
            return Held();
        },
        cancellationToken);

    public async Task ReportAsync(TaskState state, CancellationToken cancellationToken)
    {
        if (task.State != HoldState.Held)
            return;
        _reported = state;
        await parts.Writer.WriteAsync(Entry(LogEntryKind.TaskProgressed) with { State = state }, cancellationToken).ConfigureAwait(false);
    }

    public void WriteOutput(DateTimeOffset time, OutputStream stream, string line) => _output.Add(time, stream, line);

    public async Task WarnAsync(string message, CancellationToken cancellationToken)
    {
        if (task.State == HoldState.Held)
            await parts.Writer.WriteAsync(Entry(LogEntryKind.TaskWarned) with { State = _reported, Message = message }, cancellationToken).ConfigureAwait(false);
    }

    public Task<bool> CompleteAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        if (end.State is not (TaskState.Complete or TaskState.Canceled))
            throw new ArgumentException($"The end's state is {end.State}; allowed: {TaskState.Complete}, {TaskState.Canceled}. Reject a task that failed.", nameof(end));
        return SettleAsync(() => EndAsync(Ended(end), cancellationToken), cancellationToken);
    }

    public Task<bool> RetryAsync(TaskEnd failure, CancellationToken cancellationToken) => SettleAsync(
        async () =>
        {
            var reason = failure.Reason ?? FailureReason.Internal;
            var next = Charged(failure);
            if (IsCancelRequested)
                return await EndAsync(Canceled() with { Attempts = next.FailedAttempts }, cancellationToken).ConfigureAwait(false);
            // The steps as they are: each is a queue, and a fifth more or less would be a queue each.
            var delay = parts.Options.Retry.After(reason, Attempt, 0.5, failure.RetryAfter);
            if (delay > TimeSpan.Zero)
                await parts.PutLaterAsync(next, task.Document, delay, cancellationToken).ConfigureAwait(false);
            else
                await parts.PutInFrontAsync(next, task.Document, cancellationToken).ConfigureAwait(false);
            return await LeaveAsync(Ended(failure) with { Kind = LogEntryKind.TaskRetried, State = TaskState.Queued, Reason = reason, NotBefore = parts.Now + delay }, cancellationToken).ConfigureAwait(false);
        },
        cancellationToken);

    public Task<bool> RejectAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        if (end.State is not (TaskState.ExecutorError or TaskState.SystemError) || end.Reason is null)
            throw new ArgumentException($"The end's state is {end.State}, its reason {end.Reason?.ToString() ?? "none"}; allowed: {TaskState.ExecutorError} or {TaskState.SystemError}, and a reason.", nameof(end));
        return SettleAsync(
            async () =>
            {
                var note = new LetterNote
                {
                    Writer = _writer, Name = task.Task.Name, Workflow = task.Task.Workflow, State = end.State, Reason = end.Reason.Value, Message = end.Message, LogTail = end.LogTail, Record = end.Record, Finished = end.Finished,
                };
                await parts.Letters.PutAsync(Charged(end), note, task.Document, cancellationToken).ConfigureAwait(false);
                var counts = await EndAsync(Ended(end), cancellationToken).ConfigureAwait(false);
                if (!counts)
                    await parts.Letters.TakeBackAsync(note, cancellationToken).ConfigureAwait(false);
                return counts;
            },
            cancellationToken);
    }

    public Task<bool> ReleaseAsync(string why, CancellationToken cancellationToken) => SettleAsync(
        async () =>
        {
            if (IsCancelRequested)
                return await EndAsync(Canceled() with { Attempts = FailedAttempts }, cancellationToken).ConfigureAwait(false);
            await parts.PutInFrontAsync(task.Ticket, task.Document, cancellationToken).ConfigureAwait(false);
            return await LeaveAsync(Entry(LogEntryKind.TaskReleased) with { State = TaskState.Queued, Message = why }, cancellationToken).ConfigureAwait(false);
        },
        cancellationToken);

    private bool IsCancelRequested => parts.Board.Find(task.Id) is { Summary.CancelRequested: true };

    /// <summary>It is over by an end of ours, of which we have not heard.</summary>
    private bool IsEndOurs => task.Ending is { } ending && parts.Board.Find(task.Id) is { Summary.HasEnded: true } known && known.Claims == ending.Claims && known.Summary.State == ending.State;

    private LeaseState Held() => IsCancelRequested ? LeaseState.CancelRequested : LeaseState.Held;

    /// <summary>Its lease had lapsed and nobody has claimed it since.</summary>
    private async Task<LeaseState> TakeAgainAsync(CancellationToken cancellationToken)
    {
        var claims = Math.Max(task.Ticket.Claims, parts.Board.Find(task.Id)?.Claims ?? 0) + 1;
        await leases.WriteAsync(task, task.Ticket with { Claims = claims, Epoch = 0 }, cancellationToken).ConfigureAwait(false);
        task.State = HoldState.Held;
        task.Told = parts.Now;
        if (await parts.Feed.AskAsync(taking.Claimed(task), cancellationToken).ConfigureAwait(false) || IsEndOurs)
            return Held();
        await leases.DropAsync(task).ConfigureAwait(false);
        return LeaseState.Lost;
    }

    /// <summary>Before the claim passes out of the stream, it is written there again: who reads only what is left has to know who has the task. For all others it is a claim that came too late.</summary>
    private async Task TellAgainAsync(CancellationToken cancellationToken)
    {
        if (parts.Now - task.Told < parts.Options.Retention / 2)
            return;
        await parts.Writer.WriteAsync(taking.Claimed(task) with { State = _reported }, cancellationToken).ConfigureAwait(false);
        task.Told = parts.Now;
    }

    private async Task<bool> IsLostAsync()
    {
        if (task.State == HoldState.Gone)
            return true;
        if (task.Ending is not null || parts.Board.Find(task.Id) is not { } known || (!known.Summary.HasEnded && known.Claims <= task.Ticket.Claims))
            return false;
        await leases.DropAsync(task).ConfigureAwait(false);
        outbox.Forget(_output);
        return true;
    }

    private Task<bool> SettleAsync(Func<Task<bool>> settle, CancellationToken cancellationToken) => AloneAsync(
        async () =>
        {
            await outbox.CloseAsync(_output).ConfigureAwait(false);
            if (await IsLostAsync().ConfigureAwait(false))
                return false;
            return await settle().ConfigureAwait(false);
        },
        cancellationToken);

    /// <summary>Writes the end, and asks whether it counts; an earlier try of which nobody heard may have done it.</summary>
    private async Task<bool> EndAsync(LogEntry end, CancellationToken cancellationToken)
    {
        if (task.Ending is not null)
        {
            await parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
            if (IsEndOurs)
            {
                await leases.DropAsync(task).ConfigureAwait(false);
                return true;
            }
        }
        task.Ending = end.State is { } state ? (state, task.Ticket.Claims) : null;
        return await LeaveAsync(end, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> LeaveAsync(LogEntry entry, CancellationToken cancellationToken)
    {
        var counts = await parts.Feed.AskAsync(entry, cancellationToken).ConfigureAwait(false);
        await leases.DropAsync(task).ConfigureAwait(false);
        return counts;
    }

    private async Task<T> AloneAsync<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        Want();
        await task.One.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await act().ConfigureAwait(false);
        }
        finally
        {
            // The broker may have kept us waiting for longer than a lease.
            Want();
            task.One.Release();
        }
    }

    private void Want()
    {
        task.Wanted = parts.Time.GetTimestamp();
        task.IsSuspect = false;
    }

    private Ticket Charged(TaskEnd failure) =>
        task.Ticket.With(new AttemptSummary(Attempt, leases.Node, failure.Started, failure.Finished, failure.Reason ?? FailureReason.Internal, failure.Message)) with { FailedAttempts = Attempt };

    private LogEntry Entry(LogEntryKind kind) => new()
    {
        Kind = kind, Time = parts.Now, Task = task.Id, Name = task.Task.Name, Node = leases.Node, Session = leases.Session, Claim = task.Ticket.Claims, Attempt = Attempt,
    };

    private LogEntry Canceled() => Entry(LogEntryKind.TaskEnded) with
    {
        State = TaskState.Canceled, Reason = FailureReason.Canceled, Message = "It was canceled.", Started = task.Ticket.Claimed, Finished = parts.Now,
    };

    private LogEntry Ended(TaskEnd end) => Entry(LogEntryKind.TaskEnded) with
    {
        State = end.State, Reason = end.Reason, Message = end.Message, Attempts = Attempt, Started = end.Started, Finished = end.Finished, ExitCodes = [.. end.ExitCodes], PeakMemory = end.PeakMemory, Record = end.Record,
    };
}
