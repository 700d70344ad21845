using System.Text;

namespace Sisyphus.Engine.Queues.RabbitMq.Connections;

/// <summary>What a broker says that it is.</summary>
/// <remarks>Server properties of Connection.Start, AMQP 0.9.1, 4.2.2.</remarks>
internal static class BrokerVersion
{
    private const string Product = "RabbitMQ";
    /// <summary>The first that has all that is needed: streams, and quorum queues with a time to live that hand on at least once.</summary>
    private static readonly Version s_least = new(3, 10);

    /// <returns>For a person.</returns>
    public static string Read(IDictionary<string, object?>? properties) => Text(properties, "version") ?? "of an unknown version";

    /// <exception cref="QueueException">It is a RabbitMQ that is too old; of other products nothing is known.</exception>
    public static void Check(IDictionary<string, object?>? properties, BrokerAddress address)
    {
        if (Text(properties, "product") == Product && Version.TryParse(Text(properties, "version")?.Split('-', '+')[0], out var version) && version < s_least)
            throw new QueueException(QueueFailure.NotAQueue, $"The queue {address} needs {Product} {s_least} or newer, and the broker is {version}. Update it.");
    }

    private static string? Text(IDictionary<string, object?>? properties, string name) =>
        properties?.TryGetValue(name, out var value) == true && value is byte[] text ? Encoding.UTF8.GetString(text) : null;
}
