using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Events;
using Sisyphus.Engine.Queues.RabbitMq.Leasing;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>A node's place at the queue. What it does over the broker hangs on an <see cref="Attachment"/>, which a loop renews.</summary>
internal sealed class RabbitMqNodeSession : INodeSession
{
    private const int MaxSignals = 10_000;
    /// <summary>In a lease time: a lost connection is noticed after two to three, and made again and the lease renewed in time only where there are some more.</summary>
    private const int FewestHeartbeats = 8;
    private const int MostTries = 3;
    private static readonly TimeSpan s_noticing = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_lanesPause = TimeSpan.FromHours(1);

    private readonly BrokerParts _parts;
    private readonly NodeRegistration _node;
    private readonly BrokerLine _line;
    private readonly BrokerLine _asking;
    private readonly Leases _leases;
    private readonly AttachmentLoop _loop;
    private readonly Taking _taking;
    private readonly LaneSearch _lanes;
    private readonly Claiming _claiming;
    private readonly NodeRoll _roll;
    private readonly OutputOutbox _output;
    private readonly Channel<NodeSignal> _signals = Channel.CreateBounded<NodeSignal>(MaxSignals);
    private readonly Channel<LogEntry> _news = Channel.CreateBounded<LogEntry>(new BoundedChannelOptions(MaxSignals) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly CancellationTokenSource _stop = new();
    private readonly IDisposable _following;
    private NodeState _state = NodeState.Idle;
    private Task _running = Task.CompletedTask;
    private int _disposed;

    private RabbitMqNodeSession(BrokerParts parts, NodeRegistration node)
    {
        (_parts, _node) = (parts, node);
        _line = new BrokerLine(parts.Connector, parts.Calls, $"node {node.Name}");
        _asking = new BrokerLine(parts.Connector, parts.Calls, $"node {node.Name} asks");
        _leases = new Leases(parts, node.Name, Guid.NewGuid().ToString("N"));
        var questions = new Questions(parts, _asking, node.Name, _leases.AnswerAsync);
        var returns = new Returns(parts, _leases, questions);
        _loop = new AttachmentLoop(parts, _line, _asking, _leases, questions, returns, node.Concurrency, _stop.Token);
        _taking = new Taking(parts, node, _leases, returns);
        _lanes = new LaneSearch(parts);
        _claiming = new Claiming(parts, _taking, _lanes);
        _roll = new NodeRoll(parts);
        _output = new OutputOutbox(parts.Board.Wishes.Has, parts.Output.SendAsync, TimeProvider.System);
        _following = parts.Feed.Follow(_news.Writer);
    }

    public string Name => _node.Name;

    public TimeSpan LeaseTime => _parts.Options.LeaseTime;

    public string? Caution => LeaseTime >= FewestHeartbeats * _parts.Address.Heartbeat ? null :
        $"The lease time is {LeaseTime}, less than {FewestHeartbeats} heartbeats of the connection ({_parts.Address.Heartbeat} each): a short outage of the network will cost what runs. Start the node with a -LeaseTime of {FewestHeartbeats * _parts.Address.Heartbeat} or more, or set a shorter heartbeat= in the broker's address.";

    public static async Task<RabbitMqNodeSession> JoinAsync(BrokerParts parts, NodeRegistration node, CancellationToken cancellationToken)
    {
        var session = new RabbitMqNodeSession(parts, node);
        try
        {
            await session._loop.BeginAsync(cancellationToken).ConfigureAwait(false);
            await parts.Feed.AskAsync(session.Entry(LogEntryKind.NodeJoined) with { Registration = node }, cancellationToken).ConfigureAwait(false);
            session._running = Task.WhenAll(session.RunAsync(session._loop.KeepAsync), session.RunAsync(session.LookAfterAsync), session.RunAsync(session.ListenAsync));
            return session;
        }
        catch
        {
            await session.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task<IDelivery> ClaimAsync(ClaimRequest request, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var attachment = await AttachedAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var (task, warnings) = await _claiming.ClaimAsync(attachment, request, cancellationToken).ConfigureAwait(false);
                return new RabbitMqDelivery(_parts, _leases, _taking, _output, task, warnings);
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Unavailable && tries < MostTries)
            {
                // It may be that the loop is about to attach anew.
                if (await Task.WhenAny(attachment.Ended, Task.Delay(s_noticing, _parts.Time, cancellationToken)).ConfigureAwait(false) != attachment.Ended)
                    throw;
            }
        }
    }

    public async Task HeartbeatAsync(NodeStatus status, CancellationToken cancellationToken)
    {
        await AttachedAsync(cancellationToken).ConfigureAwait(false);
        var before = _parts.Board.FindNode(Name) is { State: NodeState.Lost } ? NodeState.Lost : _state;
        if (NodeChanges.Told(before, status.State) is { } change)
            await _parts.Feed.AskAsync(Entry((LogEntryKind)change) with { Status = status, Message = status.Message }, cancellationToken).ConfigureAwait(false);
        _state = status.State;
        await _parts.Writer.WriteAsync(Entry(LogEntryKind.NodeHeartbeat) with { Status = status }, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<NodeSignal> ReadSignalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var signal in _signals.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            yield return signal;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        try
        {
            if (_loop.IsAttached)
                await LeaveAsync().ConfigureAwait(false);
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>As if the process had been killed; for tests.</summary>
    public async Task KillAsync()
    {
        Interlocked.Exchange(ref _disposed, 1);
        _line.Cut();
        _asking.Cut();
        // Not before: the copy of a lease that is gone is acknowledged when it comes.
        foreach (var task in _leases.All)
            task.State = HoldState.Gone;
        await CloseAsync().ConfigureAwait(false);
    }

    private LogEntry Entry(LogEntryKind kind) => new() { Kind = kind, Time = _parts.Now, Node = Name, Session = _leases.Session };

    private Task<Attachment> AttachedAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, typeof(INodeSession));
        return _loop.AttachedAsync(cancellationToken);
    }

    /// <summary>With one of its loops a session is over, whatever ended that: then its calls say so, and the node joins anew. It must not go on half deaf.</summary>
    private async Task RunAsync(Func<Task> loop)
    {
        Exception? why = null;
        try
        {
            await loop().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            why = error;
        }
        if (!_stop.IsCancellationRequested)
            _loop.Lose(why);
    }

    /// <summary>Looks after what has its time: leases that nobody renews, lanes that are about to be forgotten, nodes that nobody hears of.</summary>
    private async Task LookAfterAsync()
    {
        var pause = LeaseTime / 10 < TimeSpan.FromSeconds(1) ? LeaseTime / 10 : TimeSpan.FromSeconds(1);
        var lanesPause = _parts.Options.Retention / 8 < s_lanesPause ? _parts.Options.Retention / 8 : s_lanesPause;
        var (sinceLanes, sinceRoll) = (_parts.Time.GetTimestamp(), _parts.Time.GetTimestamp());
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(pause, _parts.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_loop.IsAttached)
                continue;
            try
            {
                await _leases.LapseAsync().ConfigureAwait(false);
                if (_parts.Time.GetElapsedTime(sinceLanes) >= lanesPause)
                {
                    sinceLanes = _parts.Time.GetTimestamp();
                    await _lanes.TellAgainAsync(_stop.Token).ConfigureAwait(false);
                }
                // At a time of its own, so that one node tells and the others have heard it by then.
                if (_parts.Time.GetElapsedTime(sinceRoll) < _node.HeartbeatInterval * (3 + (3 * Random.Shared.NextDouble())))
                    continue;
                sinceRoll = _parts.Time.GetTimestamp();
                await _roll.ReadAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // The broker does by itself what could not be said; and what nobody foresaw must not end the looking after.
            }
        }
    }

    /// <summary>Turns what the streams tell into orders to this node.</summary>
    private async Task ListenAsync()
    {
        try
        {
            await foreach (var entry in _news.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                if (entry is { Kind: LogEntryKind.CancelRequested, Task: { } id } && _parts.Board.Find(id)?.Session == _leases.Session)
                    _signals.Writer.TryWrite(new CancelSignal(id));
                else if (entry is { Kind: LogEntryKind.NodeStop, Stop: { } how } && entry.Session == _leases.Session)
                    _signals.Writer.TryWrite(new StopSignal(how));
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task LeaveAsync()
    {
        foreach (var task in _leases.All)
            await new RabbitMqDelivery(_parts, _leases, _taking, _output, task, []).ReleaseAsync("The node left.", CancellationToken.None).ConfigureAwait(false);
        await _parts.Feed.AskAsync(Entry(LogEntryKind.NodeLeft), CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        _following.Dispose();
        _signals.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        await _output.DisposeAsync().ConfigureAwait(false);
        await _loop.CloseAsync().ConfigureAwait(false);
        await _asking.DisposeAsync().ConfigureAwait(false);
        await _line.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
