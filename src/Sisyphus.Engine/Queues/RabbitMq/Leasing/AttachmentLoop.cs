using System.Diagnostics;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>The one loop that connects, declares and consumes for a node, notices every loss (of the connection, a channel, a consumer, of any sign of life), backs off and begins anew.</summary>
internal sealed class AttachmentLoop(BrokerParts parts, BrokerLine line, BrokerLine asking, Leases leases, Questions questions, Returns returns, int slots, CancellationToken stop)
{
    private const int MoreLeases = 16;
    private static readonly TimeSpan s_longestPulse = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_settled = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_pulseLimit = TimeSpan.FromSeconds(20);

    /// <summary>Of each task the copy that is held and its successor; the rest is for those that are just claimed, or done.</summary>
    private ushort Prefetch => (ushort)Math.Clamp((2L * slots) + MoreLeases, 1, ushort.MaxValue);

    private TaskCompletionSource<Attachment> _attached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile QueueException? _trouble;
    private volatile QueueException? _lost;

    /// <summary>What the last try to attach failed with; null when all is well.</summary>
    public QueueException? Trouble => _trouble;

    public bool IsAttached => Volatile.Read(ref _attached).Task.IsCompletedSuccessfully;

    /// <summary>Attaches for the first time.</summary>
    /// <exception cref="QueueException">It can't; nothing is tried again.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken) =>
        _attached.SetResult(await AttachAsync(isFirst: true, cancellationToken).ConfigureAwait(false));

    /// <summary>Waits a while where the connection is lost.</summary>
    /// <exception cref="QueueException"><see cref="QueueFailure.SessionLost"/> when another process took the name meanwhile, or the session was given up.</exception>
    public async Task<Attachment> AttachedAsync(CancellationToken cancellationToken)
    {
        if (_lost is { } lost)
            throw new QueueException(lost.Failure, lost.Message, lost.InnerException);
        try
        {
            return await Volatile.Read(ref _attached).Task.WaitAsync(BrokerCalls.Limit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException error)
        {
            throw _trouble ?? parts.Calls.Explain(error, "connect again");
        }
    }

    /// <summary>Gives the session up: from now on it fails, so that nobody waits for what it does not do any more.</summary>
    public void Lose(Exception? why)
    {
        _lost ??= new QueueException(
            QueueFailure.SessionLost,
            _trouble is { Failure: QueueFailure.NodeNameTaken } taken
                ? $"The node {leases.Node} lost its name while it was cut off. {taken.Message}"
                : $"The session of node {leases.Node} ended{(why is null ? "" : $": {why.Message.TrimEnd('.')}")}. Join anew.",
            why ?? _trouble);
        if (IsAttached)
            _attached.Task.Result.Break(_lost.Message);
    }

    /// <summary>Keeps it so until the token ends it, or the name is another's.</summary>
    public async Task KeepAsync()
    {
        var attachment = _attached.Task.IsCompletedSuccessfully ? _attached.Task.Result : null;
        for (var failures = 0; !stop.IsCancellationRequested;)
        {
            long? attached = null;
            try
            {
                attachment ??= await AttachAsync(isFirst: false, stop).ConfigureAwait(false);
                attached = Stopwatch.GetTimestamp();
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
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Disposed.
            }
            catch (Exception error)
            {
                // What nobody foresaw must not leave the node deaf for ever.
                _trouble = parts.Calls.Explain(error, "connect again");
            }

            // What breaks at once, again and again, is not tried more often for having been there.
            if (attached is { } since && Stopwatch.GetElapsedTime(since) >= s_settled)
                failures = 0;
            if (_attached.Task.IsCompleted)
                Volatile.Write(ref _attached, new(TaskCreationOptions.RunContinuationsAsynchronously));
            if (attachment is not null)
                await attachment.DisposeAsync().ConfigureAwait(false);
            attachment = null;
            parts.Topology.Forget();
            await Task.Delay(RetryBackoff.After(++failures, Random.Shared.NextDouble()) / 4, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task CloseAsync()
    {
        if (IsAttached)
            await _attached.Task.Result.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Until something is broken, or the broker gives no sign of life although nothing seems to be.</summary>
    private async Task WatchAsync(Attachment attachment)
    {
        var pulse = parts.Options.LeaseTime / 3 < s_longestPulse ? parts.Options.LeaseTime / 3 : s_longestPulse;
        while (!attachment.IsBroken && !stop.IsCancellationRequested)
        {
            await Task.WhenAny(attachment.Broken, Task.Delay(pulse, parts.Time, stop)).ConfigureAwait(false);
            if (attachment.IsBroken || stop.IsCancellationRequested)
                break;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(s_pulseLimit);
            try
            {
                var queue = await parts.Calls.CallAsync(token => attachment.Leases.QueueDeclarePassiveAsync(leases.Queue, token), $"ask for {leases.Queue}", limit.Token).ConfigureAwait(false);
                if (queue.ConsumerCount == 0)
                    attachment.Break($"The broker does not deliver {leases.Queue} any more.");
                // A question to itself goes the whole way; where the broker takes nothing it would be for nothing.
                else if (asking.Blocked is null && await questions.AskAsync(leases.Node, "", "", 0, 0, Questions.LongestPatience, limit.Token).ConfigureAwait(false) is var said and (Answer.Gone or Answer.Silent))
                    Hush(attachment, said);
            }
            catch (QueueException error) when (error.Failure == QueueFailure.Full)
            {
                // It takes nothing for now, which breaks nothing.
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                Hush(attachment, Answer.Silent);
            }
        }
        if (attachment.IsBroken)
            _trouble = parts.Calls.Failure(QueueFailure.Unavailable, $"the connection was lost: {await attachment.Broken.ConfigureAwait(false)}");
    }

    private void Hush(Attachment attachment, Answer said)
    {
        attachment.Break(said == Answer.Gone ? "The broker has lost the node's own queue." : "The broker is silent.");
        if (said != Answer.Silent)
            return;
        // A connection of which only one half is left would be taken for an open one again.
        line.Cut();
        asking.Cut();
    }

    private async Task<Attachment> AttachAsync(bool isFirst, CancellationToken cancellationToken)
    {
        var attachment = await Attachment.OpenAsync(line, asking, parts.Calls, cancellationToken).ConfigureAwait(false);
        try
        {
            var connection = attachment.Connection;
            await questions.ListenAsync(attachment, isOurs: !isFirst, cancellationToken).ConfigureAwait(false);
            await parts.Topology.EnsureExchangeAsync(connection, cancellationToken).ConfigureAwait(false);
            await parts.Topology.EnsurePlainAsync(connection, parts.Names.Returns, cancellationToken).ConfigureAwait(false);
            // Before any task is taken it has to be known which were canceled.
            await parts.Feed.CatchUpAsync(cancellationToken).ConfigureAwait(false);
            await parts.Topology.EnsureLeaseQueueAsync(connection, leases.Queue, cancellationToken).ConfigureAwait(false);
            if (isFirst)
                await TakeOverAsync(attachment, cancellationToken).ConfigureAwait(false);
            else
                await leases.RestoreAsync().ConfigureAwait(false);
            await attachment.ConsumeAsync(attachment.Leases, leases.Queue, acknowledged: true, exclusive: false, Prefetch, message => ArriveAsync(attachment, message), cancellationToken).ConfigureAwait(false);
            var returning = await attachment.OpenChannelAsync(connection, cancellationToken).ConfigureAwait(false);
            await attachment.ConsumeAsync(
                returning,
                parts.Names.Returns,
                acknowledged: true,
                exclusive: false,
                Returns.MostAtOnce,
                message =>
                {
                    attachment.Start(() => returns.TakeOnAsync(attachment, message, stop));
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

    private Task ArriveAsync(Attachment attachment, Incoming message) =>
        Ticket.Read(message.Properties) is { Owner: not null } ? leases.ArriveAsync(attachment, message) : returns.HandleAsync(attachment, message, stop);

    /// <summary>What an earlier process of this name had leased goes back at once: nobody else can have the name.</summary>
    private async Task TakeOverAsync(Attachment attachment, CancellationToken cancellationToken)
    {
        await parts.Inquiries.AwaitNoConsumerAsync(attachment.Connection, leases.Queue, cancellationToken).ConfigureAwait(false);
        while (await parts.Calls.GetAsync(attachment.Leases, leases.Queue, $"read {leases.Queue}", cancellationToken).ConfigureAwait(false) is { } left)
        {
            var message = new Incoming(attachment.Leases, left.DeliveryTag, leases.Queue, left.BasicProperties, left.Body);
            try
            {
                await returns.HandleAsync(attachment, message, cancellationToken).ConfigureAwait(false);
            }
            catch (QueueException error) when (error.Failure is QueueFailure.Denied or QueueFailure.NotAQueue)
            {
                // One that we may not put back must not keep us from the rest.
                await returns.PassOnAsync(attachment, message, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
