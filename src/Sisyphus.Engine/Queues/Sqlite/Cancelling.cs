using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Cancels tasks: at once where they wait, through their node where they run.</summary>
internal sealed class Cancelling(QueueClock clock, Settling settling)
{
    public CancelOutcome Cancel(QueueConnection connection, string id)
    {
        if (HeldTask.OfId(connection, id) is not { } task)
            return new CancelOutcome(id, CancelResult.Unknown, null);
        var state = Enum.Parse<TaskState>((string)connection.Scalar("SELECT state FROM tasks WHERE sequence = @sequence", ("@sequence", task.Sequence))!);
        switch (task.Phase)
        {
            case Phase.Ended or Phase.Dead:
                return new CancelOutcome(id, CancelResult.AlreadyEnded, state);
            case Phase.Leased:
                Request(connection, task, state);
                return new CancelOutcome(id, CancelResult.Requested, state);
            default:
                settling.CancelWaiting(connection, task);
                return new CancelOutcome(id, CancelResult.Canceled, TaskState.Canceled);
        }
    }

    private void Request(QueueConnection connection, HeldTask task, TaskState state)
    {
        if (task.CancelRequested)
            return;
        connection.Execute("UPDATE tasks SET cancel_requested = 1 WHERE sequence = @sequence", ("@sequence", task.Sequence));
        connection.Execute("INSERT INTO orders (session, kind, task) SELECT session, 'Cancel', id FROM tasks WHERE sequence = @sequence", ("@sequence", task.Sequence));
        connection.Wake(Topics.Orders);
        EventLog.Append(connection, task.Event(QueueEventKind.CancelRequested, clock.Now, state));
    }
}
