using Sisyphus.Engine.Queues.RabbitMq.Connections;

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
        Topology = new Topology(address, Names, options, Calls);
        // Apart: a broker that blocks a connection which publishes also leaves its acknowledgements unread.
        _publishing = new BrokerLine(Connector, Calls, "publish");
        Reading = new BrokerLine(Connector, Calls, "read");
        Publisher = new Publisher(_publishing, Calls);
        Writer = new EventWriter(Publisher, Names);
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
    public async Task PutInFrontAsync(Ticket ticket, ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
    {
        var front = QueueNames.Front(ticket.Lane);
        await Topology.EnsurePlainAsync(await Reading.ConnectAsync(cancellationToken).ConfigureAwait(false), front, cancellationToken).ConfigureAwait(false);
        await Publisher.PublishAsync("", front, ticket.Free().ToProperties(), document, mandatory: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Hands a task to the nodes again when the delay is over.</summary>
    public async Task PutLaterAsync(Ticket ticket, ReadOnlyMemory<byte> document, TimeSpan delay, CancellationToken cancellationToken)
    {
        var queue = Names.Retry(delay);
        await Topology.EnsureDelayAsync(await Reading.ConnectAsync(cancellationToken).ConfigureAwait(false), queue, delay, cancellationToken).ConfigureAwait(false);
        await Publisher.PublishAsync("", queue, ticket.Free().ToProperties(), document, mandatory: true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tells readers of the end of a task that was canceled while no node had it.</summary>
    public Task TellCanceledAsync(BoardTask task, CancellationToken cancellationToken) => Writer.WriteAsync(
        new LogEntry
        {
            Kind = LogEntryKind.TaskEnded, Time = Now, Task = task.Summary.Id, Name = task.Summary.Name, State = task.Summary.State, Reason = task.Summary.Reason, Message = task.Summary.Message, Attempts = task.Summary.Attempts,
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Feed.DisposeAsync().ConfigureAwait(false);
        Letters.Dispose();
        await Output.DisposeAsync().ConfigureAwait(false);
        await Publisher.DisposeAsync().ConfigureAwait(false);
        await _publishing.DisposeAsync().ConfigureAwait(false);
        await Reading.DisposeAsync().ConfigureAwait(false);
    }
}
