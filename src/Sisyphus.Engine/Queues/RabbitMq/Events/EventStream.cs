using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.RabbitMq.Messages;

namespace Sisyphus.Engine.Queues.RabbitMq.Events;

/// <summary>Reads a stream of entries from any place on.</summary>
/// <remarks>https://www.rabbitmq.com/docs/streams: over AMQP 0.9.1 there is no end of a stream, it has to be known from elsewhere.</remarks>
internal sealed class EventStream(BrokerLine line, BrokerCalls calls, string stream)
{
    public const string First = "first";
    public const string Next = "next";
    /// <summary>The last chunk, which is delivered whole.</summary>
    private const string Last = "last";
    /// <summary>After which a stream that delivers nothing of its last chunk is an empty one.</summary>
    private static readonly TimeSpan s_firstTime = TimeSpan.FromSeconds(3);
    /// <summary>Between two messages of one chunk, which come together.</summary>
    private static readonly TimeSpan s_chunkTime = TimeSpan.FromMilliseconds(300);
    private const ushort Prefetch = 500;
    private const int AckEvery = 100;

    /// <param name="from">An offset, <see cref="First"/>, <see cref="Next"/> or an age such as <c>1h</c>.</param>
    /// <param name="begun">Called when the broker has begun to deliver.</param>
    /// <exception cref="QueueException">The stream can't be read, or not any more.</exception>
    public async IAsyncEnumerable<StreamMessage> ReadAsync(object from, Func<Task> begun, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = await line.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
        await using var open = channel.Ending().ConfigureAwait(false);
        var messages = Channel.CreateBounded<(ulong Tag, StreamMessage Message)>(new BoundedChannelOptions(Prefetch) { SingleReader = true });
        var consumer = new Consumer(channel, messages.Writer, calls, stream);
        await calls.CallAsync(token => channel.BasicQosAsync(0, Prefetch, false, token), $"read {stream}", cancellationToken).ConfigureAwait(false);
        await BeginAsync(channel, from, consumer, cancellationToken).ConfigureAwait(false);
        await begun().ConfigureAwait(false);
        ulong read = 0;
        for (var unacked = 0; ;)
        {
            if (!messages.Reader.TryRead(out var next))
            {
                // What waits unacknowledged for half an hour costs the channel.
                if (unacked > 0)
                    await AckAsync(channel, read, cancellationToken).ConfigureAwait(false);
                unacked = 0;
                next = await messages.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            yield return next.Message;
            read = next.Tag;
            if (++unacked < AckEvery)
                continue;
            unacked = 0;
            await AckAsync(channel, read, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The offset of the last message that there is; null where there is none.</summary>
    public async Task<long?> FindEndAsync(CancellationToken cancellationToken)
    {
        long? end = null;
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await foreach (var message in ReadAsync(Last, Wait, enough.Token).ConfigureAwait(false))
            {
                end = message.Offset;
                enough.CancelAfter(s_chunkTime);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing more comes.
        }
        return end;

        Task Wait()
        {
            enough.CancelAfter(s_firstTime);
            return Task.CompletedTask;
        }
    }

    private async Task BeginAsync(IChannel channel, object from, Consumer consumer, CancellationToken cancellationToken)
    {
        try
        {
            await calls.CallAsync(
                token => channel.BasicConsumeAsync(stream, autoAck: false, "", noLocal: false, exclusive: false, new Dictionary<string, object?> { ["x-stream-offset"] = from }, consumer, token),
                $"read {stream}",
                cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException error) when (error.Failure == QueueFailure.NotAQueue)
        {
            // The broker knows no such argument for other kinds of queue.
            throw calls.Failure(QueueFailure.NotAQueue, NoStream);
        }
    }

    private string NoStream => $"{stream} is not a stream, which the queue needs it to be. Remove it on the broker, so that a node can declare it, or use other names with prefix= in the address.";

    private Task AckAsync(IChannel channel, ulong tag, CancellationToken cancellationToken) =>
        calls.CallAsync(token => channel.BasicAckAsync(tag, multiple: true, token).AsTask(), $"read {stream}", cancellationToken);

    private sealed class Consumer(IChannel channel, ChannelWriter<(ulong, StreamMessage)> messages, BrokerCalls calls, string stream) : AsyncDefaultBasicConsumer(channel)
    {
        public override async Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
        {
            if (properties.Headers?.TryGetValue("x-stream-offset", out var value) != true || value is null)
                return;
            try
            {
                var offset = Convert.ToInt64(value, CultureInfo.InvariantCulture);
                await messages.WriteAsync((deliveryTag, new StreamMessage(offset, Read(body.Span), BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(body.Span)))), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is OperationCanceledException or ChannelClosedException)
            {
                // Nobody reads any more.
            }
        }

        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) =>
            EndAsync("the broker ended the reading: the stream was deleted, or moved");

        public override Task HandleChannelShutdownAsync(object channel, RabbitMQ.Client.Events.ShutdownEventArgs reason) =>
            EndAsync(reason.ReplyText);

        private Task EndAsync(string why)
        {
            messages.TryComplete(calls.Failure(QueueFailure.Unavailable, $"reading {stream} ended: {why}."));
            return Task.CompletedTask;
        }

        /// <summary>What is no entry of ours, or of a version that knows more of them, is passed over.</summary>
        private static LogEntry[] Read(ReadOnlySpan<byte> body)
        {
            try
            {
                return [.. (JsonSerializer.Deserialize(body, Wire.Json.LogEntryArray) ?? []).Where(entry => entry?.IsSound() == true).Take(StreamMessage.Room)];
            }
            catch (JsonException)
            {
                return [];
            }
        }
    }
}
