using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

public sealed class LeaseTimeTests(BrokerFixture fixture) : WireTest(fixture)
{
    protected override QueueOptions Options => new() { LeaseTime = TimeSpan.FromSeconds(60) };

    [Theory, InlineData("", false), InlineData("?heartbeat=8", false), InlineData("?heartbeat=7", true)]
    public async Task Caution_LeaseTimeOfFewerThanEightHeartbeats_SaysSo(string more, bool isWise)
    {
        var session = await JoinAsync(queue: Open(more));
        if (isWise)
            Assert.Null(session.Caution);
        else
            Assert.Contains("less than 8 heartbeats", session.Caution, StringComparison.Ordinal);
    }
}
