using System.Text;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Tasks on their way into the file.</summary>
internal static class Sending
{
    public const int MostAtOnce = 10_000;
    private const int LargestDocument = 1024 * 1024;

    public static IReadOnlyList<SendOutcome> Send(QueueConnection connection, QueueClock clock, IReadOnlyList<(TaskDocument Document, byte[] Json)> tasks)
    {
        var now = clock.Now;
        return [.. tasks.Select(task => Send(connection, now, task.Document, task.Json))];
    }

    private static SendOutcome Send(QueueConnection connection, DateTimeOffset now, TaskDocument document, byte[] json)
    {
        var id = document.Id!;
        if (json.Length > LargestDocument)
            return new SendOutcome(id, SendResult.Refused, $"The document takes {json.Length} bytes; allowed: 1 MiB.");
        var inserted = connection.Execute(
            """
            INSERT INTO tasks (id, document, name, workflow, image, priority, cpus, memory, phase, state, sent)
            VALUES (@id, @document, @name, @workflow, @image, @priority, @cpus, @memory, 0, 'Queued', @sent)
            ON CONFLICT (id) DO NOTHING
            """,
            ("@id", id), ("@document", json), ("@name", document.Name), ("@workflow", document.Workflow), ("@image", document.Image),
            ("@priority", document.Priority), ("@cpus", document.Resources.Cpus ?? 0), ("@memory", document.Resources.Memory ?? 0), ("@sent", now.UtcTicks));
        if (inserted == 0)
            return new SendOutcome(id, SendResult.AlreadySent, "The queue has a task of this id already; nothing was changed.");
        EventLog.Append(connection, new QueueEvent { Sequence = 0, Time = now, Kind = QueueEventKind.TaskSent, TaskId = id, TaskName = document.Name, State = TaskState.Queued });
        connection.Wake(Topics.Tasks);
        return new SendOutcome(id, SendResult.Sent);
    }

    /// <summary>What somebody put on the queue without being a sender of ours; for tests of what happens to it.</summary>
    public static void SendRaw(QueueConnection connection, QueueClock clock, string id, string text)
    {
        connection.Execute(
            "INSERT INTO tasks (id, document, image, priority, cpus, memory, phase, state, sent) VALUES (@id, @document, '', @priority, 0, 0, 0, 'Queued', @sent)",
            ("@id", id), ("@document", Encoding.UTF8.GetBytes(text)), ("@priority", TaskDocument.DefaultPriority), ("@sent", clock.Ticks));
        connection.Wake(Topics.Tasks);
    }
}
