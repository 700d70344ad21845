using System.Collections.Concurrent;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>Questions between nodes: who has this task?</summary>
/// <remarks>Answers come by direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to), for which no queue has to be declared.</remarks>
internal sealed class Questions(BrokerParts parts, BrokerLine line, string node, Func<string, string, long, int, Task<Answer>> answer)
{
    private const string ReplyTo = "amq.rabbitmq.reply-to";
    /// <summary>What the broker makes of it for who answers.</summary>
    private const string ReplyPrefix = ReplyTo + ".";
    private const string TaskHeader = "task";
    private const string SessionHeader = "session";
    private const string ClaimsHeader = "claims";
    private const string EpochHeader = "epoch";
    /// <summary>For an answer that comes over a slow network, or waits for the broker to write a lease.</summary>
    public static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(8);
    /// <summary>Who wants the name of a node that lives is told so within seconds.</summary>
    private static readonly TimeSpan s_namePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(300);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<Answer>> _asked = [];
    private volatile IChannel? _channel;
    private (IConnection Connection, string Queue)? _name;

    /// <summary>Takes the node's name: its queue is this connection's alone.</summary>
    /// <exception cref="QueueException"><see cref="QueueFailure.NodeNameTaken"/></exception>
    /// <param name="isOurs">Whether it was before: then only an answer tells that another process has it.</param>
    public async Task ListenAsync(Attachment attachment, bool isOurs, CancellationToken cancellationToken)
    {
        var channel = await attachment.OpenChannelAsync(attachment.Asking, cancellationToken).ConfigureAwait(false);
        channel.BasicReturnAsync += (_, returned) =>
        {
            Resolve(returned.BasicProperties.CorrelationId, Answer.Gone);
            return Task.CompletedTask;
        };
        channel.ChannelShutdownAsync += (_, _) =>
        {
            foreach (var waiting in _asked.Values)
                waiting.TrySetException(Closed(channel));
            return Task.CompletedTask;
        };
        await attachment.ConsumeAsync(channel, ReplyTo, acknowledged: false, exclusive: false, prefetch: 0, HearAsync, cancellationToken).ConfigureAwait(false);
        _channel = channel;
        await TakeNameAsync(attachment, isOurs, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks once.</summary>
    /// <exception cref="QueueException">Among others <see cref="QueueFailure.Full"/>: nobody can ask or answer for now.</exception>
    public async Task<Answer> AskAsync(string owner, string session, string task, long claims, int epoch, TimeSpan patience, CancellationToken cancellationToken)
    {
        var isSilent = false;
        foreach (var queue in parts.Names.Node(owner))
        {
            var said = await AskAsync(queue, owner, session, task, claims, epoch, patience, cancellationToken).ConfigureAwait(false);
            if (IsSaid(said))
                return said;
            isSilent |= said == Answer.Silent;
        }
        return isSilent ? Answer.Silent : Answer.Gone;
    }

    private static bool IsSaid(Answer answer) => answer is not (Answer.Gone or Answer.Silent);

    private async Task<Answer> AskAsync(string queue, string owner, string session, string task, long claims, int epoch, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_channel is not { IsOpen: true } channel)
            throw Closed(_channel);
        var id = Guid.NewGuid().ToString("N");
        var answered = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answered;
        try
        {
            var question = new BasicProperties
            {
                CorrelationId = id, ReplyTo = ReplyTo, Headers = new Dictionary<string, object?> { [TaskHeader] = task, [SessionHeader] = session, [ClaimsHeader] = claims, [EpochHeader] = epoch },
            };
            await parts.Calls.CallAsync(token => channel.BasicPublishAsync("", queue, mandatory: true, question, ReadOnlyMemory<byte>.Empty, token).AsTask(), $"ask node {owner}", cancellationToken).ConfigureAwait(false);
            return await answered.Task.WaitAsync(patience, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return line.Blocked is { } reason ? throw parts.Calls.Blocked($"ask node {owner}", reason) : Answer.Silent;
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    /// <summary>Why nothing can be asked: the broker refuses a question by closing the channel, with the reason.</summary>
    private QueueException Closed(IChannel? channel) => channel?.CloseReason is { } reason
        ? parts.Calls.Explain(new OperationInterruptedException(reason), "ask other nodes")
        : parts.Calls.Failure(QueueFailure.Unavailable, "the connection is lost.");

    private async Task TakeNameAsync(Attachment attachment, bool isOurs, CancellationToken cancellationToken)
    {
        // The connection of a process that is gone without a word is held for dead after two and a half heartbeats.
        var patience = (3 * parts.Address.Heartbeat) + s_namePatience;
        for (var since = parts.Time.GetTimestamp(); ;)
        {
            // The one that the connection has, before any that has come back meanwhile: it would stay, and nobody answer what is asked there.
            foreach (var queue in parts.Names.Node(node).OrderByDescending(queue => _name == (attachment.Asking, queue)))
            {
                if (await TryDeclareAsync(attachment, queue, cancellationToken).ConfigureAwait(false) && await TryConsumeAsync(attachment, queue, cancellationToken).ConfigureAwait(false))
                {
                    _name = (attachment.Asking, queue);
                    await RefuseTwinAsync(queue, cancellationToken).ConfigureAwait(false);
                    return;
                }
                if (!await parts.Inquiries.IsOutOfReachAsync(attachment.Asking, queue, cancellationToken).ConfigureAwait(false))
                    break;
            }
            var isLate = parts.Time.GetElapsedTime(since) > patience;
            if (IsSaid(await AskAsync(node, "", "", 0, 0, s_namePatience, cancellationToken).ConfigureAwait(false)) || (isLate && !isOurs))
                throw Taken();
            if (isLate)
                throw parts.Calls.Failure(QueueFailure.Unavailable, $"the broker keeps the name of node {node} for a connection that is gone.");
            await Task.Delay(s_again, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A node that took another of the queues, while this one was out of reach, has the name.</summary>
    private async Task RefuseTwinAsync(string ours, CancellationToken cancellationToken)
    {
        foreach (var queue in parts.Names.Node(node).Where(queue => queue != ours))
        {
            if (!IsSaid(await AskAsync(queue, node, "", "", 0, 0, s_namePatience, cancellationToken).ConfigureAwait(false)))
                continue;
            // The queue is the connection's, and gone with it.
            line.Cut();
            throw Taken();
        }
    }

    private QueueException Taken() => new(QueueFailure.NodeNameTaken, $"A living process is the node {node} of the queue {parts.Address}. Stop it, or give this node another name.");

    /// <returns>False when it is another connection's.</returns>
    private async Task<bool> TryDeclareAsync(Attachment attachment, string queue, CancellationToken cancellationToken)
    {
        var channel = await attachment.OpenOwnChannelAsync(attachment.Asking, cancellationToken).ConfigureAwait(false);
        await using (channel.Ending().ConfigureAwait(false))
        {
            try
            {
                await channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: false, cancellationToken: cancellationToken).WaitAsync(BrokerCalls.Limit, cancellationToken).ConfigureAwait(false);
                return true;
            }
            catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.PreconditionFailed)
            {
                // An administrator has declared it: then only one may consume it.
                return await parts.Inquiries.CountAsync(attachment.Asking, queue, cancellationToken).ConfigureAwait(false) is not null
                    ? true
                    : throw parts.Calls.Explain(error, $"declare the queue {queue}");
            }
            catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.ResourceLocked)
            {
                return false;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                throw parts.Calls.Explain(error, $"take the name {node}");
            }
        }
    }

    /// <returns>False when somebody else consumes it.</returns>
    private async Task<bool> TryConsumeAsync(Attachment attachment, string queue, CancellationToken cancellationToken)
    {
        var channel = await attachment.OpenOwnChannelAsync(attachment.Asking, cancellationToken).ConfigureAwait(false);
        try
        {
            await attachment.ConsumeAsync(
                channel,
                queue,
                acknowledged: false,
                exclusive: true,
                prefetch: 0,
                question =>
                {
                    attachment.Start(() => AnswerAsync(channel, question));
                    return Task.CompletedTask;
                },
                cancellationToken).ConfigureAwait(false);
            attachment.Adopt(channel);
            return true;
        }
        catch (QueueException error) when (BrokerReplies.IsInExclusiveUse(error.InnerException))
        {
            await channel.EndAsync().ConfigureAwait(false);
            return false;
        }
        catch
        {
            await channel.EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    private Task HearAsync(Incoming reply)
    {
        if (Enum.TryParse<Answer>(Encoding.UTF8.GetString(reply.Body.Span), out var said))
            Resolve(reply.Properties.CorrelationId, said);
        return Task.CompletedTask;
    }

    private void Resolve(string? id, Answer said)
    {
        if (id is not null && _asked.TryRemove(id, out var waiting))
            waiting.TrySetResult(said);
    }

    private async Task AnswerAsync(IChannel channel, Incoming question)
    {
        // Nowhere else: a forged question would make us write into any queue.
        if (question.Properties is not { ReplyTo: { } replyTo, Headers: { } headers } || !replyTo.StartsWith(ReplyPrefix, StringComparison.Ordinal) || !headers.TryGetValue(TaskHeader, out var name) || name is not byte[] task)
            return;
        var claims = headers.TryGetValue(ClaimsHeader, out var claim) && claim is long number ? number : 0;
        var epoch = headers.TryGetValue(EpochHeader, out var age) && age is int small ? small : 0;
        var session = headers.TryGetValue(SessionHeader, out var whose) && whose is byte[] text ? Encoding.UTF8.GetString(text) : "";
        var said = task.Length == 0 ? Answer.NotMine : await answer(Encoding.UTF8.GetString(task), session, claims, epoch).ConfigureAwait(false);
        if (said == Answer.Silent)
            return;
        var reply = new BasicProperties { CorrelationId = question.Properties.CorrelationId };
        await parts.Calls.CallAsync(token => channel.BasicPublishAsync("", replyTo, mandatory: false, reply, Encoding.UTF8.GetBytes(said.ToString()), token).AsTask(), "answer a node", CancellationToken.None).ConfigureAwait(false);
    }
}
