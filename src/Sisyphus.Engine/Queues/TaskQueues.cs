using Sisyphus.Engine.Queues.RabbitMq;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Sisyphus.Engine.Queues.Sqlite;

namespace Sisyphus.Engine.Queues;

/// <summary>Opens queues by their addresses.</summary>
public static class TaskQueues
{
    private const string Forms = "sqlite:PATH (a file on this machine), amqp://[USER[:PASSWORD]@]HOST[:PORT][/VHOST] and amqps://… (a RabbitMQ broker)";

    /// <param name="address">For example <c>sqlite:/var/lib/sisyphus/queue.db</c>; a file that is not there is made at its first use.</param>
    /// <exception cref="FormatException">An address that no queue understands; the message names it and the forms there are.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static ITaskQueue Open(string address, QueueOptions? options = null, TimeProvider? time = null)
    {
        (options ??= new QueueOptions()).Validate();
        if (address.StartsWith(SqliteTaskQueue.Scheme, StringComparison.OrdinalIgnoreCase) && address.Length > SqliteTaskQueue.Scheme.Length && !address.Contains('\0', StringComparison.Ordinal))
            return new SqliteTaskQueue(Path.GetFullPath(address[SqliteTaskQueue.Scheme.Length..]), options, time ?? TimeProvider.System);
        if (BrokerAddress.IsBroker(address))
        {
            var broker = BrokerAddress.Parse(address);
            return new RabbitMqTaskQueue(options.Credential is { } credential ? broker.WithCredential(credential) : broker, options, time ?? TimeProvider.System);
        }
        throw new FormatException($"'{address}' is no address of a queue. Allowed: {Forms}.");
    }
}
