using System.Collections.Concurrent;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Questions between nodes: who has this task?</summary>
/// <remarks>Answers come by direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to), for which no queue has to be declared.</remarks>
internal sealed class Questions(BrokerParts parts, BrokerLine line, string node, Func<string, long, int, Task<Answer>> answer)
{
    private const string ReplyTo = "amq.rabbitmq.reply-to";
    private const string TaskHeader = "task";
    private const string ClaimsHeader = "claims";
    private const string EpochHeader = "epoch";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(300);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<Answer>> _asked = [];
    private volatile IChannel? _channel;

    /// <summary>Takes the node's name: its queue is this connection's alone.</summary>
    /// <exception cref="QueueException"><see cref="QueueFailure.NodeNameTaken"/></exception>
    public async Task ListenAsync(Attachment attachment, CancellationToken cancellationToken)
    {
        var channel = await attachment.OpenChannelAsync(attachment.Asking, cancellationToken).ConfigureAwait(false);
        channel.BasicReturnAsync += (_, returned) =>
        {
            Resolve(returned.BasicProperties.CorrelationId, Answer.Gone);
            return Task.CompletedTask;
        };
        await attachment.ConsumeAsync(channel, ReplyTo, acknowledged: false, exclusive: false, prefetch: 0, HearAsync, cancellationToken).ConfigureAwait(false);
        _channel = channel;
        await TakeNameAsync(attachment, cancellationToken).ConfigureAwait(false);
        await attachment.ConsumeAsync(
            channel,
            parts.Names.Node(node),
            acknowledged: false,
            exclusive: true,
            prefetch: 0,
            question =>
            {
                attachment.Start(() => AnswerAsync(channel, question));
                return Task.CompletedTask;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks once.</summary>
    /// <exception cref="QueueException">Among others <see cref="QueueFailure.Full"/>: nobody can ask or answer for now.</exception>
    public async Task<Answer> AskAsync(string owner, string task, long claims, int epoch, CancellationToken cancellationToken)
    {
        if (_channel is not { IsOpen: true } channel)
            throw parts.Calls.Failure(QueueFailure.Unavailable, "the connection is lost.");
        var id = Guid.NewGuid().ToString("N");
        var answered = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answered;
        try
        {
            var question = new BasicProperties
            {
                CorrelationId = id, ReplyTo = ReplyTo, Headers = new Dictionary<string, object?> { [TaskHeader] = task, [ClaimsHeader] = claims, [EpochHeader] = epoch },
            };
            await parts.Calls.CallAsync(token => channel.BasicPublishAsync("", parts.Names.Node(owner), mandatory: true, question, ReadOnlyMemory<byte>.Empty, token).AsTask(), $"ask node {owner}", cancellationToken).ConfigureAwait(false);
            return await answered.Task.WaitAsync(s_patience, cancellationToken).ConfigureAwait(false);
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

    private async Task TakeNameAsync(Attachment attachment, CancellationToken cancellationToken)
    {
        // The connection of a process that is gone without a word is held for dead after two and a half heartbeats.
        var patience = (3 * parts.Address.Heartbeat) + s_patience;
        for (var since = parts.Time.GetTimestamp(); ;)
        {
            var channel = await attachment.OpenOwnChannelAsync(attachment.Asking, cancellationToken).ConfigureAwait(false);
            await using (channel.ConfigureAwait(false))
            {
                try
                {
                    await channel.QueueDeclareAsync(parts.Names.Node(node), durable: false, exclusive: true, autoDelete: false, cancellationToken: cancellationToken).WaitAsync(BrokerCalls.Limit, cancellationToken).ConfigureAwait(false);
                    return;
                }
                catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.AccessRefused)
                {
                    // An administrator has declared it: then only one may consume it.
                    return;
                }
                catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == Constants.ResourceLocked)
                {
                    if (await AskAsync(node, "", 0, 0, cancellationToken).ConfigureAwait(false) is Answer.Mine or Answer.NotMine || parts.Time.GetElapsedTime(since) > patience)
                        throw new QueueException(QueueFailure.NodeNameTaken, $"A living process is the node {node} of the queue {parts.Address}. Stop it, or give this node another name.");
                }
                catch (Exception error) when (!cancellationToken.IsCancellationRequested)
                {
                    throw parts.Calls.Explain(error, $"take the name {node}");
                }
            }
            await Task.Delay(s_again, cancellationToken).ConfigureAwait(false);
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
        if (question.Properties is not { ReplyTo: { Length: > 0 } replyTo, Headers: { } headers } || !headers.TryGetValue(TaskHeader, out var name) || name is not byte[] task)
            return;
        var claims = headers.TryGetValue(ClaimsHeader, out var claim) && claim is long number ? number : 0;
        var epoch = headers.TryGetValue(EpochHeader, out var age) && age is int small ? small : 0;
        var said = task.Length == 0 ? Answer.NotMine : await answer(Encoding.UTF8.GetString(task), claims, epoch).ConfigureAwait(false);
        if (said == Answer.Silent)
            return;
        var reply = new BasicProperties { CorrelationId = question.Properties.CorrelationId };
        await parts.Calls.CallAsync(token => channel.BasicPublishAsync("", replyTo, mandatory: false, reply, Encoding.UTF8.GetBytes(said.ToString()), token).AsTask(), "answer a node", CancellationToken.None).ConfigureAwait(false);
    }
}
