using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

internal sealed class SqliteDelivery(SqliteNodeSession session, Claim claim) : IDelivery
{
    private readonly OutputBuffer _output = session.Output.Open(claim.Document.Id!);

    private QueueFile File => session.Queue.File;

    private Settling Settling => session.Queue.Settling;

    private QueueClock Clock => session.Queue.Clock;

    public TaskDocument Document => claim.Document;

    public IReadOnlyList<string> Warnings => claim.Warnings;

    public DateTimeOffset Sent => claim.Sent;

    public int FailedAttempts => claim.Task.FailedAttempts;

    public int Losses => claim.Task.Losses;

    public async Task<LeaseState> RenewAsync(CancellationToken cancellationToken)
    {
        var state = await TryRenewAsync(cancellationToken).ConfigureAwait(false);
        if (state == LeaseState.Lost)
            session.Output.Forget(_output);
        return state;
    }

    private Task<LeaseState> TryRenewAsync(CancellationToken cancellationToken) => File.WriteAsync(
        connection =>
        {
            if (Held(connection) is not { } task || !Registry.Has(connection, session.Id))
                return LeaseState.Lost;
            if (task.Phase == Phase.Ready)
            {
                // It was only silent: the loss did not happen.
                connection.Execute(
                    "UPDATE tasks SET losses = losses - 1, attempts = @attempts, state = 'Running', finished = NULL WHERE sequence = @sequence",
                    ("@attempts", task.AttemptsWithoutLast()), ("@sequence", task.Sequence));
                EventLog.Append(connection, task.Event(QueueEventKind.TaskClaimed, Clock.Now, TaskState.Running) with { Attempt = task.FailedAttempts + 1, Message = "Its node renewed the lease that had lapsed." });
            }
            connection.Execute(
                "UPDATE tasks SET phase = 2, session = @session, deadline = @deadline WHERE sequence = @sequence",
                ("@session", session.Id), ("@deadline", session.Queue.Claiming.Deadline), ("@sequence", task.Sequence));
            return task.CancelRequested ? LeaseState.CancelRequested : LeaseState.Held;
        },
        cancellationToken);

    public Task ReportAsync(TaskState state, CancellationToken cancellationToken)
    {
        if (state is not (TaskState.Initializing or TaskState.Running))
            throw new ArgumentException($"The state is {state}; allowed: {TaskState.Initializing}, {TaskState.Running}. Other states come from settling the task.", nameof(state));
        return SettleAsync(
            (connection, task) =>
            {
                if (task.Phase != Phase.Leased)
                    return;
                connection.Execute("UPDATE tasks SET state = @state WHERE sequence = @sequence", ("@state", state.ToString()), ("@sequence", task.Sequence));
                EventLog.Append(connection, task.Event(QueueEventKind.TaskProgressed, Clock.Now, state) with { Attempt = task.FailedAttempts + 1 });
            },
            cancellationToken);
    }

    public void WriteOutput(DateTimeOffset time, OutputStream stream, string line) => _output.Add(time, stream, line);

    public Task WarnAsync(string message, CancellationToken cancellationToken) => SettleAsync(
        (connection, task) =>
        {
            var state = Enum.Parse<TaskState>((string)connection.Scalar("SELECT state FROM tasks WHERE sequence = @sequence", ("@sequence", task.Sequence))!);
            EventLog.Append(connection, task.Event(QueueEventKind.TaskWarned, Clock.Now, state) with { Attempt = task.FailedAttempts + 1, Message = message });
        },
        cancellationToken);

    public Task<bool> CompleteAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        Require(end, end.State is TaskState.Complete or TaskState.Canceled, $"{TaskState.Complete}, {TaskState.Canceled}");
        return EndAsync((connection, task) => Settling.Complete(connection, task, end), cancellationToken);
    }

    public Task<bool> RetryAsync(TaskEnd failure, CancellationToken cancellationToken)
    {
        Require(failure, failure.State is TaskState.ExecutorError or TaskState.SystemError, $"{TaskState.ExecutorError}, {TaskState.SystemError}");
        return EndAsync((connection, task) => Settling.Retry(connection, task, failure), cancellationToken);
    }

    public Task<bool> RejectAsync(TaskEnd end, CancellationToken cancellationToken)
    {
        Require(end, end.State is TaskState.ExecutorError or TaskState.SystemError, $"{TaskState.ExecutorError}, {TaskState.SystemError}");
        return EndAsync((connection, task) => Settling.Reject(connection, task, end), cancellationToken);
    }

    public Task<bool> ReleaseAsync(string why, CancellationToken cancellationToken) =>
        EndAsync((connection, task) => Settling.Release(connection, task, why), cancellationToken);

    private async Task<bool> EndAsync(Action<QueueConnection, HeldTask> settle, CancellationToken cancellationToken)
    {
        var isRead = await session.Output.CloseAsync(_output).ConfigureAwait(false);
        return await SettleAsync(
            (connection, task) =>
            {
                settle(connection, task);
                if (isRead)
                    connection.Wake(Topics.Output);
            },
            cancellationToken).ConfigureAwait(false);
    }

    private Task<bool> SettleAsync(Action<QueueConnection, HeldTask> settle, CancellationToken cancellationToken) => File.WriteAsync(
        connection =>
        {
            if (Held(connection) is not { } task)
                return false;
            settle(connection, task);
            return true;
        },
        cancellationToken);

    private HeldTask? Held(QueueConnection connection) => HeldTask.OfLease(connection, claim.Task.Sequence, claim.Lease);

    private static void Require(TaskEnd end, bool condition, string allowed)
    {
        if (!condition)
            throw new ArgumentException($"The state is {end.State}; allowed: {allowed}.", nameof(end));
        if (end.State == TaskState.Complete != end.Reason is null)
            throw new ArgumentException($"The reason is {end.Reason?.ToWord() ?? "none"} for the state {end.State}; only {TaskState.Complete} has none.", nameof(end));
    }
}
