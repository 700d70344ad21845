using Sisyphus.Tests.Broker.Foreign;
using Sisyphus.Tests.Unit.Queues.RabbitMq.Frames;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Headers that the broker takes, and the client's own reading does not survive: over some it closes the connection, with others it ends the process.</summary>
internal static class StrangeHeaders
{
    private const int Depth = 20_000;

    /// <summary>Each as the fields of a table.</summary>
    public static IReadOnlyDictionary<string, byte[]> All { get; } = new Dictionary<string, byte[]>
    {
        ["decimal of 200 places"] = new AmqpBytes().ShortString("price").Octet((byte)'D').Octet(200).Long(1).ToArray(),
        ["arrays in arrays"] = new AmqpBytes().ShortString("deep").Raw(HeaderBytes.Nested('A', Depth)).ToArray(),
        ["tables in tables"] = new AmqpBytes().ShortString("deep").Raw(HeaderBytes.Nested('F', Depth)).ToArray(),
    };
}
