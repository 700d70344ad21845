using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Queues.RabbitMq.Connections;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues.RabbitMq;

public sealed class BrokerVersionTests
{
    private static readonly BrokerAddress Address = BrokerAddress.Parse("amqp://host");

    private static Dictionary<string, object?> Properties(string product, string version) =>
        new() { ["product"] = Encoding.UTF8.GetBytes(product), ["version"] = Encoding.UTF8.GetBytes(version) };

    [Theory, InlineData("3.9.29"), InlineData("3.8.2-1"), InlineData("2.8")]
    public void Check_TooOld_SaysWhatIsNeeded(string version)
    {
        var error = Assert.Throws<QueueException>(() => BrokerVersion.Check(Properties("RabbitMQ", version), Address));
        Assert.Equal(QueueFailure.NotAQueue, error.Failure);
        Assert.Contains("3.10 or newer", error.Message, StringComparison.Ordinal);
        Assert.Contains(version.Split('-')[0], error.Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("RabbitMQ", "3.10.0"), InlineData("RabbitMQ", "4.3.6-rc.1"), InlineData("RabbitMQ", "next"), InlineData("LavinMQ", "2.4.0")]
    public void Check_NewEnoughOrOfAnotherProduct_IsAccepted(string product, string version) => BrokerVersion.Check(Properties(product, version), Address);

    [Fact]
    public void Check_BrokerThatSaysNothing_IsAccepted() => BrokerVersion.Check(null, Address);
}
