using System.Collections.Concurrent;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Leasing;

/// <summary>A node's connections with all that hangs on it. One loss breaks the whole: then all of it is made anew.</summary>
internal sealed class Attachment(IConnection connection, IConnection asking, BrokerCalls calls) : IAsyncDisposable
{
    private readonly TaskCompletionSource<string> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<Task, bool> _work = [];
    private readonly ConcurrentBag<IChannel> _channels = [];
    private volatile bool _isClosing;

    /// <summary>Only consumes: a broker with an alarm stops reading connections that publish, acknowledgements included.</summary>
    public IConnection Connection => connection;

    /// <summary>For questions between nodes, and their answers.</summary>
    public IConnection Asking => asking;

    /// <summary>Comes with the reason.</summary>
    public Task<string> Broken => _broken.Task;

    /// <summary>Comes when its owner is done with it, and will not give it to anybody any more.</summary>
    public Task Ended => _ended.Task;

    public bool IsBroken => _broken.Task.IsCompleted;

    /// <summary>For single messages from the lanes.</summary>
    public required IChannel Lanes { get; init; }

    /// <summary>Delivers the lease queue.</summary>
    public required IChannel Leases { get; init; }

    public static async Task<Attachment> OpenAsync(BrokerLine line, BrokerLine asking, BrokerCalls calls, CancellationToken cancellationToken)
    {
        var connection = await line.ConnectAsync(cancellationToken).ConfigureAwait(false);
        var lanes = await line.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
        var attachment = new Attachment(connection, await asking.ConnectAsync(cancellationToken).ConfigureAwait(false), calls) { Lanes = lanes, Leases = await line.OpenChannelAsync(cancellationToken).ConfigureAwait(false) };
        attachment.Watch(lanes);
        attachment.Watch(attachment.Leases);
        return attachment;
    }

    public void Break(string why)
    {
        if (!_isClosing)
            _broken.TrySetResult(why);
    }

    /// <summary>A channel whose end breaks the attachment.</summary>
    public async Task<IChannel> OpenChannelAsync(IConnection on, CancellationToken cancellationToken)
    {
        var channel = await OpenOwnChannelAsync(on, cancellationToken).ConfigureAwait(false);
        Watch(channel);
        return channel;
    }

    /// <summary>From now on the end of the channel breaks the attachment.</summary>
    public void Adopt(IChannel channel) => Watch(channel);

    /// <summary>A channel that is the caller's to dispose.</summary>
    public Task<IChannel> OpenOwnChannelAsync(IConnection on, CancellationToken cancellationToken) =>
        calls.CallAsync(token => on.CreateChannelAsync(cancellationToken: token), "open a channel", cancellationToken);

    public async Task ConsumeAsync(IChannel channel, string queue, bool acknowledged, bool exclusive, ushort prefetch, Func<Incoming, Task> handle, CancellationToken cancellationToken)
    {
        if (prefetch > 0)
            await calls.CallAsync(token => channel.BasicQosAsync(0, prefetch, global: false, token), $"consume {queue}", cancellationToken).ConfigureAwait(false);
        await calls.CallAsync(
            token => channel.BasicConsumeAsync(queue, autoAck: !acknowledged, "", noLocal: false, exclusive, arguments: null, new MessageSink(channel, queue, handle, Break), token),
            $"consume {queue}",
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A message is done with. A failure breaks the attachment: the broker delivers the message again.</summary>
    public async Task AckAsync(IChannel channel, ulong tag)
    {
        try
        {
            await calls.CallAsync(token => channel.BasicAckAsync(tag, multiple: false, token).AsTask(), "acknowledge", CancellationToken.None).ConfigureAwait(false);
        }
        catch (QueueException error)
        {
            Break(error.Message);
        }
    }

    public Task AckLeaseAsync(ulong tag) => AckAsync(Leases, tag);

    /// <summary>A message goes back to its place, for us or others. A failure breaks the attachment, which does the same.</summary>
    public async Task GiveBackAsync(Incoming message)
    {
        try
        {
            await calls.CallAsync(token => message.Channel.BasicNackAsync(message.Tag, multiple: false, requeue: true, token).AsTask(), "give a task back", CancellationToken.None).ConfigureAwait(false);
        }
        catch (QueueException error)
        {
            Break(error.Message);
        }
    }

    /// <summary>Runs beside the delivery of messages; waited for at the end.</summary>
    public void Start(Func<Task> work)
    {
        var running = Task.Run(async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // What was not acknowledged comes again.
                Break(error.Message);
            }
        });
        _work.TryAdd(running, true);
        _ = running.ContinueWith(done => _work.TryRemove(done, out _), TaskScheduler.Default);
    }

    public async ValueTask DisposeAsync()
    {
        Break("The session ended.");
        _ended.TrySetResult();
        _isClosing = true;
        await Task.WhenAll(_channels.Select(channel => channel.EndAsync())).ConfigureAwait(false);
        await Task.WhenAll(_work.Keys).WaitAsync(2 * BrokerCalls.Limit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Watch(IChannel channel)
    {
        _channels.Add(channel);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            Break(reason.ReplyText);
            return Task.CompletedTask;
        };
        if (!channel.IsOpen)
            Break("A channel was closed.");
    }
}
