using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Sisyphus.Engine.Execution;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>A node's place at the queue. One loop connects, declares and consumes, notices every loss (of the connection, a channel, a consumer, of any sign of life) and begins anew.</summary>
internal sealed class RabbitMqNodeSession : INodeSession
{
    private const int MaxSignals = 10_000;
    private static readonly TimeSpan s_longestPulse = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_noticing = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_pulseLimit = TimeSpan.FromSeconds(10);

    private readonly BrokerParts _parts;
    private readonly NodeRegistration _node;
    private readonly BrokerLine _line;
    private readonly BrokerLine _asking;
    private readonly Leases _leases;
    private readonly Questions _questions;
    private readonly Returns _returns;
    private readonly Taking _taking;
    private readonly Claiming _claiming;
    private readonly NodeRoll _roll;
    private readonly Channel<NodeSignal> _signals = Channel.CreateBounded<NodeSignal>(MaxSignals);
    private readonly Channel<LogEntry> _news = Channel.CreateBounded<LogEntry>(new BoundedChannelOptions(MaxSignals) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly CancellationTokenSource _stop = new();
    private readonly IDisposable _following;
    private TaskCompletionSource<Attachment> _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeState _state = NodeState.Idle;
    private Task _running = Task.CompletedTask;
    private volatile QueueException? _trouble;
    private int _disposed;

    private RabbitMqNodeSession(BrokerParts parts, NodeRegistration node)
    {
        (_parts, _node) = (parts, node);
        _line = new BrokerLine(parts.Connector, parts.Calls, $"node {node.Name}");
        _asking = new BrokerLine(parts.Connector, parts.Calls, $"node {node.Name} asks");
        _leases = new Leases(parts, node.Name, Guid.NewGuid().ToString("N"));
        _questions = new Questions(parts, _asking, node.Name, _leases.AnswerAsync);
        _returns = new Returns(parts, _leases, _questions);
        _taking = new Taking(parts, node, _leases, _returns);
        _claiming = new Claiming(parts, _taking);
        _roll = new NodeRoll(parts);
        _following = parts.Feed.Follow(_news.Writer);
    }

    public string Name => _node.Name;

    public TimeSpan LeaseTime => _parts.Options.LeaseTime;

    public static async Task<RabbitMqNodeSession> JoinAsync(BrokerParts parts, NodeRegistration node, CancellationToken cancellationToken)
    {
        var session = new RabbitMqNodeSession(parts, node);
        try
        {
            var attachment = await session.AttachAsync(isFirst: true, cancellationToken).ConfigureAwait(false);
            await parts.Feed.AskAsync(session.Entry(LogEntryKind.NodeJoined) with { Registration = node }, cancellationToken).ConfigureAwait(false);
            session._attached.SetResult(attachment);
            session._running = Task.WhenAll(session.KeepAsync(attachment), session.LookAfterAsync(), session.ListenAsync());
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
        while (true)
        {
            var attachment = await AttachedAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var (task, warnings) = await _claiming.ClaimAsync(attachment, request, cancellationToken).ConfigureAwait(false);
                return new RabbitMqDelivery(_parts, _leases, _taking, task, warnings);
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Unavailable && _trouble is null)
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
            if (_attached.Task is { IsCompletedSuccessfully: true })
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
        foreach (var task in _leases.All)
            task.State = HoldState.Gone;
        _line.Cut();
        _asking.Cut();
        await CloseAsync().ConfigureAwait(false);
    }

    private LogEntry Entry(LogEntryKind kind) => new() { Kind = kind, Time = _parts.Now, Node = Name, Session = _leases.Session };

    private async Task<Attachment> AttachedAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, typeof(INodeSession));
        if (_trouble is { Failure: QueueFailure.NodeNameTaken } taken)
            throw new QueueException(QueueFailure.SessionLost, $"The node {Name} lost its name while it was cut off. {taken.Message}", taken);
        try
        {
            return await Volatile.Read(ref _attached).Task.WaitAsync(BrokerCalls.Limit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException error)
        {
            throw _trouble ?? _parts.Calls.Explain(error, "connect again");
        }
    }

    private async Task<Attachment> AttachAsync(bool isFirst, CancellationToken cancellationToken)
    {
        var attachment = await Attachment.OpenAsync(_line, _asking, _parts.Calls, cancellationToken).ConfigureAwait(false);
        try
        {
            var connection = attachment.Connection;
            await _questions.ListenAsync(attachment, cancellationToken).ConfigureAwait(false);
            await _parts.Topology.EnsureExchangeAsync(connection, cancellationToken).ConfigureAwait(false);
            await _parts.Topology.EnsurePlainAsync(connection, _parts.Names.Returns, cancellationToken).ConfigureAwait(false);
            // Before any task is taken it has to be known which were canceled.
            await _parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
            await _parts.Topology.EnsureLeaseQueueAsync(connection, _leases.Queue, cancellationToken).ConfigureAwait(false);
            if (isFirst)
                await TakeOverAsync(attachment, cancellationToken).ConfigureAwait(false);
            else
                await _leases.RestoreAsync().ConfigureAwait(false);
            await attachment.ConsumeAsync(attachment.Leases, _leases.Queue, acknowledged: true, exclusive: false, prefetch: 0, message => _leases.ArriveAsync(attachment, message), cancellationToken).ConfigureAwait(false);
            var returning = await attachment.OpenChannelAsync(connection, cancellationToken).ConfigureAwait(false);
            await attachment.ConsumeAsync(
                returning,
                _parts.Names.Returns,
                acknowledged: true,
                exclusive: false,
                Returns.MostAtOnce,
                message =>
                {
                    attachment.Start(() => _returns.TakeOnAsync(attachment, message, _stop.Token));
                    return Task.CompletedTask;
                },
                cancellationToken).ConfigureAwait(false);
            return attachment;
        }
        catch
        {
            await attachment.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What an earlier process of this name had leased goes back at once: nobody else can have the name.</summary>
    private async Task TakeOverAsync(Attachment attachment, CancellationToken cancellationToken)
    {
        await _parts.Topology.AwaitNoConsumerAsync(attachment.Connection, _leases.Queue, cancellationToken).ConfigureAwait(false);
        while (await _parts.Calls.CallAsync(token => attachment.Leases.BasicGetAsync(_leases.Queue, autoAck: false, token), $"read {_leases.Queue}", cancellationToken).ConfigureAwait(false) is { } left)
            await _returns.HandleAsync(attachment, new Incoming(attachment.Leases, left.DeliveryTag, _leases.Queue, left.BasicProperties, left.Body), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The loop.</summary>
    private async Task KeepAsync(Attachment? attachment)
    {
        for (var failures = 0; !_stop.IsCancellationRequested;)
        {
            try
            {
                attachment ??= await AttachAsync(isFirst: false, _stop.Token).ConfigureAwait(false);
                failures = 0;
                _trouble = null;
                _attached.TrySetResult(attachment);
                await WatchAsync(attachment).ConfigureAwait(false);
            }
            catch (QueueException error)
            {
                _trouble = error;
                if (error.Failure == QueueFailure.NodeNameTaken)
                    return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Disposed.
            }

            if (_attached.Task.IsCompleted)
                Volatile.Write(ref _attached, new(TaskCreationOptions.RunContinuationsAsynchronously));
            if (attachment is not null)
                await attachment.DisposeAsync().ConfigureAwait(false);
            attachment = null;
            _parts.Topology.Forget();
            await Task.Delay(RetryBackoff.After(++failures, Random.Shared.NextDouble()) / 4, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Until something is broken, or the broker gives no sign of life although nothing seems to be.</summary>
    private async Task WatchAsync(Attachment attachment)
    {
        var pulse = LeaseTime / 3 < s_longestPulse ? LeaseTime / 3 : s_longestPulse;
        while (!attachment.IsBroken && !_stop.IsCancellationRequested)
        {
            await Task.WhenAny(attachment.Broken, Task.Delay(pulse, _parts.Time, _stop.Token)).ConfigureAwait(false);
            if (attachment.IsBroken || _stop.IsCancellationRequested)
                break;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(s_pulseLimit);
            try
            {
                var leases = await _parts.Calls.CallAsync(token => attachment.Leases.QueueDeclarePassiveAsync(_leases.Queue, token), $"ask for {_leases.Queue}", limit.Token).ConfigureAwait(false);
                if (leases.ConsumerCount == 0)
                    attachment.Break($"The broker does not deliver {_leases.Queue} any more.");
                // A question to itself goes the whole way; where the broker takes nothing it would be for nothing.
                else if (_asking.Blocked is null && await _questions.AskAsync(Name, "", 0, 0, limit.Token).ConfigureAwait(false) is Answer.Gone or Answer.Silent)
                    attachment.Break("The broker is silent.");
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Full)
            {
                // It takes nothing for now, which breaks nothing.
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
            {
                attachment.Break("The broker is silent.");
            }
        }
        if (attachment.IsBroken)
            _trouble = _parts.Calls.Failure(QueueFailure.Unavailable, $"the connection was lost: {await attachment.Broken.ConfigureAwait(false)}");
    }

    /// <summary>Looks after what has its time: leases that nobody renews, nodes that nobody hears of.</summary>
    private async Task LookAfterAsync()
    {
        var pause = LeaseTime / 10 < TimeSpan.FromSeconds(1) ? LeaseTime / 10 : TimeSpan.FromSeconds(1);
        var sinceRoll = _parts.Time.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(pause, _parts.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_attached.Task.IsCompletedSuccessfully)
                continue;
            try
            {
                await _leases.LapseAsync().ConfigureAwait(false);
                // At a time of its own, so that one node tells and the others have heard it by then.
                if (_parts.Time.GetElapsedTime(sinceRoll) < _node.HeartbeatInterval * (3 + (3 * Random.Shared.NextDouble())))
                    continue;
                sinceRoll = _parts.Time.GetTimestamp();
                await _roll.ReadAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is QueueException || _stop.IsCancellationRequested)
            {
                // The broker does by itself what could not be said.
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
            await new RabbitMqDelivery(_parts, _leases, _taking, task, []).ReleaseAsync("The node left.", CancellationToken.None).ConfigureAwait(false);
        await _parts.Feed.AskAsync(Entry(LogEntryKind.NodeLeft), CancellationToken.None).ConfigureAwait(false);
    }

    private async Task CloseAsync()
    {
        _following.Dispose();
        _signals.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        if (_attached.Task is { IsCompletedSuccessfully: true })
            await _attached.Task.Result.DisposeAsync().ConfigureAwait(false);
        await _asking.DisposeAsync().ConfigureAwait(false);
        await _line.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
