using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Puts tasks on the queues of their lanes.</summary>
internal sealed class Sending(BrokerParts parts)
{
    public const int MostAtOnce = 10_000;
    /// <summary>Tasks that readers were told of and that are on their way; more than the publisher has on its way.</summary>
    private const int MostTold = 3 * StreamMessage.MaxEntries;
    /// <summary>For those, when the sender is stopped.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    /// <exception cref="QueueException">Nothing was sent.</exception>
    public async Task<IReadOnlyList<SendOutcome>> SendAsync(IReadOnlyList<TaskDocument> tasks, CancellationToken cancellationToken)
    {
        var connection = await parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false);
        await parts.Topology.EnsureLogAsync(connection, cancellationToken).ConfigureAwait(false);
        var lanes = new Dictionary<Lane, string>();
        foreach (var lane in tasks.Select(Lane.Of).Distinct())
            lanes[lane] = await parts.Topology.EnsureLaneAsync(connection, lane, cancellationToken).ConfigureAwait(false);

        // The events have a channel of their own, which has to be open for them to come first.
        await parts.Writer.OpenAsync(cancellationToken).ConfigureAwait(false);
        // Those that wait for a channel together come out of it in any order.
        await parts.Publisher.OpenAsync(cancellationToken).ConfigureAwait(false);
        var now = parts.Now;
        var seen = new HashSet<string>();
        var sending = new List<Task<SendOutcome>>(tasks.Count);
        // What readers were told of is still sent, so that nobody looks for a task that never comes.
        using var grace = new CancellationTokenSource();
        await using var end = cancellationToken.Register(() => grace.CancelAfter(parts.Blocked is null ? s_grace : TimeSpan.Zero)).ConfigureAwait(false);
        foreach (var some in tasks.Chunk(StreamMessage.MaxEntries))
        {
            if (sending.Count >= MostTold)
                await ((Task)sending[sending.Count - MostTold]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                break;
            var fresh = some.Select(task => seen.Add(task.Id!)).ToArray();
            var entries = some.Where((_, i) => fresh[i]).Select(task => Entry(task, now)).ToArray();
            // On its way before the tasks are, so that nobody hears of a claim before; nobody waits for it, since a task that is on the queue is sent.
            var telling = entries.Length > 0 ? parts.Writer.WriteSentAsync(entries, grace.Token) : Task.CompletedTask;
            for (var i = 0; i < some.Length; i++)
                sending.Add(fresh[i] ? SendAsync(some[i], lanes[Lane.Of(some[i])], now, telling, grace.Token) : Task.FromResult(new SendOutcome(some[i].Id!, SendResult.AlreadySent, "It is twice in this batch.")));
        }
        var outcomes = await Task.WhenAll(sending).ConfigureAwait(false);
        return outcomes.Length == tasks.Count ? outcomes : throw new OperationCanceledException(cancellationToken);
    }

    private async Task<SendOutcome> SendAsync(TaskDocument task, string lane, DateTimeOffset now, Task telling, CancellationToken cancellationToken)
    {
        var outcome = await PublishAsync(task, lane, now, cancellationToken).ConfigureAwait(false);
        try
        {
            await telling.ConfigureAwait(false);
            if (outcome.Result == SendResult.Refused)
                await parts.Writer.WriteAsync(Entry(task, now) with { Kind = LogEntryKind.TaskRefused, Message = outcome.Message }, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException)
        {
            // The node that claims it tells.
        }
        return outcome;
    }

    private async Task<SendOutcome> PublishAsync(TaskDocument task, string lane, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var properties = new Ticket { Id = task.Id!, Lane = lane, Sent = now }.ToProperties();
        var body = TaskDocumentWriter.Write(task);
        try
        {
            try
            {
                await parts.Publisher.PublishAsync("", lane, properties, body, mandatory: true, cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException error) when (BrokerFailures.IsMissing(error))
            {
                // Deleted since it was looked for. One copy too many is dropped by who meets it.
                parts.Topology.Forget();
                await parts.Topology.EnsureLaneAsync(await parts.Reading.ConnectAsync(cancellationToken).ConfigureAwait(false), Lane.Of(task), cancellationToken).ConfigureAwait(false);
                await parts.Publisher.PublishAsync("", lane, properties, body, mandatory: true, cancellationToken).ConfigureAwait(false);
            }
            return new SendOutcome(task.Id!, SendResult.Sent);
        }
        catch (QueueException error)
        {
            return new SendOutcome(task.Id!, BrokerFailures.IsRefused(error) || error.Failure is QueueFailure.Denied ? SendResult.Refused : SendResult.Unknown, error.Message);
        }
    }

    private static LogEntry Entry(TaskDocument task, DateTimeOffset now) => new()
    {
        Kind = LogEntryKind.TaskSent, Time = now, Task = task.Id, Name = task.Name, Workflow = task.Workflow, Image = task.Image, Priority = task.Priority, State = TaskState.Queued,
    };
}
