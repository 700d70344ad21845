using RabbitMQ.Client;
using Sisyphus.Engine.Queues.RabbitMq.Connections;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Sends what tasks write to those who read it: neither kept nor confirmed, and nothing at all while the broker is blocked.</summary>
internal sealed class OutputSender(BrokerLine line, BrokerCalls calls, QueueNames names) : IAsyncDisposable
{
    private const string Doing = "send the output of tasks";
    private static readonly BasicProperties s_properties = new() { ContentType = "application/json", DeliveryMode = DeliveryModes.Transient };

    private readonly SemaphoreSlim _one = new(1, 1);
    private IChannel? _channel;

    /// <exception cref="QueueException">Some of it may be lost.</exception>
    public async Task SendAsync(IReadOnlyList<OutputBatch> batches, CancellationToken cancellationToken)
    {
        if (line.Blocked is { } blocked)
            throw calls.Blocked(Doing, blocked);
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var channel = await OpenAsync(cancellationToken).ConfigureAwait(false);
            foreach (var batch in batches)
            {
                await calls.CallAsync(
                    token => channel.BasicPublishAsync(names.Bus, QueueNames.OutputKey(batch.Task), mandatory: false, s_properties, OutputJson.Write(batch), token).AsTask(), Doing, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_channel is { } channel)
            await channel.EndAsync().ConfigureAwait(false);
        _one.Dispose();
    }

    private async Task<IChannel> OpenAsync(CancellationToken cancellationToken)
    {
        if (_channel is { IsOpen: true } open)
            return open;
        if (_channel is { } closed)
            await closed.EndAsync().ConfigureAwait(false);
        return _channel = await line.OpenChannelAsync(cancellationToken).ConfigureAwait(false);
    }
}
