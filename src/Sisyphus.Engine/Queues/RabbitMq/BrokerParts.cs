using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Messages;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>What the parts of one queue share.</summary>
internal sealed class BrokerParts : IAsyncDisposable
{
    private readonly BrokerLine _publishing;

    public BrokerParts(BrokerAddress address, QueueOptions options, TimeProvider time)
    {
        (Address, Options, Time) = (address, options, time);
        Connector = new BrokerConnector(address);
        Names = new QueueNames(address.Prefix);
        Calls = new BrokerCalls(address);
        Topology = new Topology(address, Names, options, Connector, Calls);
        Inquiries = new Inquiries(Calls);
        // Apart: a broker that blocks a connection which publishes also leaves its acknowledgements unread.
        _publishing = new BrokerLine(Connector, Calls, "publish");
        Reading = new BrokerLine(Connector, Calls, "read");
        Publisher = new Publisher(_publishing, Calls);
        Writer = new EventWriter(_publishing, Calls, Reading, Topology, Names);
        Feed = new BoardFeed(Reading, Calls, Writer, Topology, Names, new Board(time, options.Retention), time);
        Letters = new DeadLetterBox(this);
        Output = new OutputSender(_publishing, Calls, Names);
    }

    public BrokerAddress Address { get; }

    public QueueOptions Options { get; }

    public TimeProvider Time { get; }

    public BrokerConnector Connector { get; }

    public QueueNames Names { get; }

    public BrokerCalls Calls { get; }

    public Topology Topology { get; }

    public Inquiries Inquiries { get; }

    public BrokerLine Reading { get; }

    public Publisher Publisher { get; }

    public EventWriter Writer { get; }

    public BoardFeed Feed { get; }

    public DeadLetterBox Letters { get; }

    public OutputSender Output { get; }

    public Board Board => Feed.Board;

    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>Why the broker takes nothing for now; null when it does.</summary>
    public string? Blocked => _publishing.Blocked;

    /// <summary>Puts a task that comes back before those of its lane that no node has had.</summary>
    /// <remarks>The lane is the ticket's word, which anybody could have written: it has to be one that tasks were sent to.</remarks>
    public async Task PutInFrontAsync(Ticket ticket, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        var home = Names.LaneOf(ticket.Lane) is { } lane && Board.Knows(lane.Workflow) ? ticket.Lane : await FindHomeAsync(document, cancellationToken).ConfigureAwait(false);
        var front = QueueNames.Front(home);
        await PutAsync(front, connection => Topology.EnsurePlainAsync(connection, front, cancellationToken), (ticket.Free() with { Lane = home }).ToProperties(), document, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What was told before then passes out of the event stream some day, and has to be told again.</summary>
    public DateTimeOffset TellAgainBefore => Now - (Options.Retention / 2);

    /// <summary>Lets all nodes know of a workflow that nobody has told them of, or not for long.</summary>
    public Task OpenLaneAsync(string workflow, CancellationToken cancellationToken) =>
        Board.Knows(workflow, TellAgainBefore) ? Task.CompletedTask : OpenLaneAsync(new Lane(workflow, TaskDocument.DefaultPriority), cancellationToken);

    /// <summary>Lets all nodes know of a lane that nobody has told them of, or not for long.</summary>
    public Task OpenLaneAsync(Lane lane, CancellationToken cancellationToken) =>
        Feed.AskAsync(new LogEntry { Kind = LogEntryKind.LaneOpened, Time = Now, Workflow = lane.Workflow, Priority = lane.Priority }, cancellationToken);

    /// <summary>Hands a task to the nodes again when the delay is over.</summary>
    public Task PutLaterAsync(Ticket ticket, ReadOnlyMemory<byte> document, TimeSpan delay, CancellationToken cancellationToken)
    {
        var queue = Names.Retry(delay);
        return PutAsync(queue, connection => Topology.EnsureDelayAsync(connection, queue, delay, cancellationToken), ticket.Free().ToProperties(), document, cancellationToken);
    }

    /// <summary>Puts a message on a queue that is declared before; once more when somebody has deleted it since it was known to be there.</summary>
    public async Task PutAsync(string queue, Func<IConnection, Task> ensure, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            await ensure(await Reading.ConnectAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            try
            {
                await Publisher.PublishAsync("", queue, properties, body, mandatory: true, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (QueueException error) when (tries == 1 && BrokerFailures.IsMissing(error))
            {
                Topology.Forget();
            }
        }
    }

    /// <summary>Tells readers of the end of a task that was canceled while no node had it.</summary>
    public Task TellCanceledAsync(BoardTask task, CancellationToken cancellationToken) => Writer.WriteAsync(
        new LogEntry
        {
            Kind = LogEntryKind.TaskEnded, Time = Now, Task = task.Summary.Id, Name = task.Summary.Name, State = task.Summary.State, Reason = task.Summary.Reason, Message = task.Summary.Message, Attempts = task.Summary.Attempts,
        },
        cancellationToken);

    /// <summary>The queue that a document would be sent to.</summary>
    private async Task<string> FindHomeAsync(ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        try
        {
            var lane = Lane.Of(TaskDocumentReader.ReadLenient(document, out _));
            if (lane.Workflow is not null)
                await OpenLaneAsync(lane.Workflow, cancellationToken).ConfigureAwait(false);
            return Names.Lane(lane.Workflow, lane.Priority);
        }
        catch (InvalidTaskDocumentException)
        {
            // Whoever takes it from there says what is wrong with it.
            return Names.Main;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // A broker that takes nothing reads no farewells either: each of them would be waited for until its time is over.
        if (Blocked is not null)
            _publishing.Cut();
        await Feed.DisposeAsync().ConfigureAwait(false);
        Letters.Dispose();
        await Output.DisposeAsync().ConfigureAwait(false);
        await Writer.DisposeAsync().ConfigureAwait(false);
        await Publisher.DisposeAsync().ConfigureAwait(false);
        await _publishing.DisposeAsync().ConfigureAwait(false);
        await Reading.DisposeAsync().ConfigureAwait(false);
    }
}
