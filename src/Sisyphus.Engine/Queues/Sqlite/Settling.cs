using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>The ways in which a task leaves the hands of a node.</summary>
internal sealed class Settling(QueueClock clock, QueueOptions options)
{
    /// <summary>Over: complete or canceled.</summary>
    public void Complete(QueueConnection connection, HeldTask task, TaskEnd end) => End(connection, task, end, Phase.Ended, charged: true, task.AttemptsJson);

    /// <summary>Over, in error.</summary>
    public void Reject(QueueConnection connection, HeldTask task, TaskEnd end) =>
        End(connection, task, end, Phase.Dead, charged: true, task.AttemptsWith(task.Attempt(task.FailedAttempts + 1, end)));

    public void Retry(QueueConnection connection, HeldTask task, TaskEnd failure)
    {
        var attempt = task.FailedAttempts + 1;
        var attempts = task.AttemptsWith(task.Attempt(attempt, failure));
        if (task.CancelRequested)
        {
            End(connection, task, Canceled(failure.Started, failure.Finished, failure), Phase.Ended, charged: true, attempts);
            return;
        }
        var reason = failure.Reason ?? FailureReason.Internal;
        var delay = options.Retry.After(reason, attempt, Random.Shared.NextDouble(), failure.RetryAfter);
        var now = clock.Now;
        DateTimeOffset? notBefore = delay > TimeSpan.Zero ? now + delay : null;
        Back(connection, task, notBefore is null ? Phase.Ready : Phase.Delayed, lapsed: false, notBefore);
        Describe(connection, task, failure);
        connection.Execute(
            "UPDATE tasks SET failed_attempts = @attempt, attempts = @attempts WHERE sequence = @sequence",
            ("@attempt", attempt), ("@attempts", attempts), ("@sequence", task.Sequence));
        EventLog.Append(connection, task.Event(QueueEventKind.TaskRetried, now, TaskState.Queued) with { Attempt = attempt, Reason = reason, Message = failure.Message, NotBefore = notBefore ?? now });
    }

    public void Release(QueueConnection connection, HeldTask task, string why)
    {
        if (task.CancelRequested)
        {
            End(connection, task, Canceled(task.Started ?? clock.Now, clock.Now), Phase.Ended, charged: false, task.AttemptsJson);
            return;
        }
        Back(connection, task, Phase.Ready, lapsed: false, notBefore: null);
        EventLog.Append(connection, task.Event(QueueEventKind.TaskReleased, clock.Now, TaskState.Queued) with { Message = why });
    }

    /// <summary>The node that had it is lost.</summary>
    /// <param name="lapsed">It may only have been silent for too long; then it can still go on, until somebody else has claimed the task.</param>
    public void Lose(QueueConnection connection, HeldTask task, bool lapsed)
    {
        var now = clock.Now;
        var message = lapsed ? $"The node {task.Node} did not renew its lease in time." : $"The node {task.Node} was lost.";
        var end = new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.NodeLost, Message = message, Started = task.Started ?? now, Finished = now };
        var attempts = task.AttemptsWith(task.Attempt(0, end));
        connection.Execute("UPDATE tasks SET losses = losses + 1 WHERE sequence = @sequence", ("@sequence", task.Sequence));
        if (task.CancelRequested)
        {
            End(connection, task, Canceled(end.Started, now), Phase.Ended, charged: false, attempts);
            return;
        }
        var losses = task.Losses + 1;
        if (losses >= options.MaxLosses)
        {
            end = end with { Message = $"{losses} {(losses == 1 ? "node was" : "nodes were")} lost while running it, the last one {task.Node}; so it may be what ends them." };
            End(connection, task, end, Phase.Dead, charged: false, attempts);
            return;
        }
        Back(connection, task, Phase.Ready, lapsed, notBefore: null);
        connection.Execute(
            "UPDATE tasks SET attempts = @attempts, reason = 'NodeLost', message = @message, finished = @finished WHERE sequence = @sequence",
            ("@attempts", attempts), ("@message", message), ("@finished", now.UtcTicks), ("@sequence", task.Sequence));
        EventLog.Append(connection, task.Event(QueueEventKind.TaskLost, now, TaskState.Queued) with { Reason = FailureReason.NodeLost, Message = message });
    }

    /// <summary>Before any node had it, or after the node that had it.</summary>
    public void CancelWaiting(QueueConnection connection, HeldTask task)
    {
        var now = clock.Now;
        End(connection, task, Canceled(now, now), Phase.Ended, charged: false, task.AttemptsJson);
        // It never started, or not again: the times of an attempt would be made up.
        connection.Execute("UPDATE tasks SET started = @started WHERE sequence = @sequence", ("@started", task.Started?.UtcTicks), ("@sequence", task.Sequence));
    }

    /// <summary>What came out of the queue is no task document.</summary>
    public void RejectUnreadable(QueueConnection connection, HeldTask task, string why)
    {
        var now = clock.Now;
        var end = new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.InvalidDocument, Message = why, Started = now, Finished = now };
        End(connection, task, end, Phase.Dead, charged: false, task.AttemptsJson);
    }

    private static TaskEnd Canceled(DateTimeOffset started, DateTimeOffset finished, TaskEnd? of = null) =>
        (of ?? new TaskEnd { State = TaskState.Canceled, Started = started, Finished = finished }) with { State = TaskState.Canceled, Reason = FailureReason.Canceled, Message = "It was canceled." };

    private void End(QueueConnection connection, HeldTask task, TaskEnd end, int phase, bool charged, string attempts)
    {
        var now = clock.Now;
        Describe(connection, task, end);
        var charges = task.FailedAttempts + (charged ? 1 : 0);
        connection.Execute(
            """
            UPDATE tasks SET phase = @phase, state = @state, lease = NULL, session = NULL, deadline = NULL, not_before = NULL, cancel_requested = 0, ended = @ended,
                failed_attempts = @charges, attempts = @attempts WHERE sequence = @sequence
            """,
            ("@phase", phase), ("@state", end.State.ToString()), ("@charges", charges), ("@attempts", attempts), ("@ended", now.UtcTicks), ("@sequence", task.Sequence));
        EventLog.Append(connection, task.Event(QueueEventKind.TaskEnded, now, end.State) with { Attempt = charged ? charges : null, Reason = end.Reason, Message = end.Message });
    }

    private static void Describe(QueueConnection connection, HeldTask task, TaskEnd end) => connection.Execute(
        """
        UPDATE tasks SET reason = @reason, message = @message, started = @started, finished = @finished, exit_codes = @exit_codes,
            peak_memory = @peak_memory, record = @record, log_tail = @log_tail WHERE sequence = @sequence
        """,
        ("@reason", end.Reason?.ToString()), ("@message", end.Message), ("@started", end.Started.UtcTicks), ("@finished", end.Finished.UtcTicks),
        ("@exit_codes", Columns.Json(end.ExitCodes)), ("@peak_memory", end.PeakMemory), ("@record", end.Record),
        ("@log_tail", end.LogTail.Length > TaskEnd.MaxLogTail ? end.LogTail[^TaskEnd.MaxLogTail..] : end.LogTail), ("@sequence", task.Sequence));

    private static void Back(QueueConnection connection, HeldTask task, int phase, bool lapsed, DateTimeOffset? notBefore)
    {
        connection.Execute(
            """
            UPDATE tasks SET phase = @phase, state = 'Queued', session = NULL, deadline = NULL, lease = CASE WHEN @lapsed THEN lease END, not_before = @not_before
            WHERE sequence = @sequence
            """,
            ("@phase", phase), ("@lapsed", lapsed), ("@not_before", notBefore?.UtcTicks), ("@sequence", task.Sequence));
        // Also for one that comes later: who waits has to know how long.
        connection.Wake(Topics.Tasks);
    }
}
