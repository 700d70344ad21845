using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>Calls of the broker, each with a time limit, their failures told in the queue's words.</summary>
/// <remarks>The client's own limits don't cover a write loop that died (https://github.com/rabbitmq/rabbitmq-dotnet-client/issues/1930).</remarks>
internal sealed class BrokerCalls(BrokerAddress address)
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <param name="doing">After "could not".</param>
    /// <exception cref="QueueException"/>
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, string doing, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            return await call(limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            throw Explain(error, doing);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    public Task CallAsync(Func<CancellationToken, Task> call, string doing, CancellationToken cancellationToken) =>
        CallAsync(
            async token =>
            {
                await call(token).ConfigureAwait(false);
                return true;
            },
            doing,
            cancellationToken);

    /// <summary>On a channel of its own, since a refusal closes the channel.</summary>
    /// <returns>Null when it was done.</returns>
    public async Task<OperationInterruptedException?> TryAsync(IConnection connection, Func<IChannel, Task> act, CancellationToken cancellationToken)
    {
        var channel = await CallAsync(token => connection.CreateChannelAsync(cancellationToken: token), "open a channel", cancellationToken).ConfigureAwait(false);
        await using (channel.Ending().ConfigureAwait(false))
        {
            try
            {
                await act(channel).WaitAsync(Limit, cancellationToken).ConfigureAwait(false);
                return null;
            }
            catch (OperationInterruptedException error) when (connection.IsOpen)
            {
                return error;
            }
            catch (Exception error)
            {
                // Also the client's own time limits end as if somebody had canceled.
                cancellationToken.ThrowIfCancellationRequested();
                throw Explain(error, "declare its queues");
            }
        }
    }

    /// <summary>One message, not acknowledged; null where there is none.</summary>
    /// <exception cref="QueueException"/>
    public Task<BasicGetResult?> GetAsync(IChannel channel, string queue, string doing, CancellationToken cancellationToken) =>
        CallAsync(token => channel.BasicGetAsync(queue, autoAck: false, token), doing, cancellationToken);

    public QueueException Explain(Exception error, string doing) => BrokerFailures.Translate(error, address, doing);

    public QueueException Blocked(string doing, string reason) => BrokerFailures.Blocked(address, doing, reason);

    public QueueException Failure(QueueFailure failure, string what) => new(failure, $"The queue {address}: {what}");
}
