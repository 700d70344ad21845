using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>Lanes of which the event stream tells nothing, or nothing any more.</summary>
public sealed class UntoldLaneTests(BrokerFixture fixture) : WireTest(fixture)
{
    [Theory, InlineData("sisyphus-queue.p7", null), InlineData("sisyphus-queue.p0.front", null), InlineData("align-queue.p2", "align")]
    public async Task Claim_LaneOfWhichNoEventTells_FindsItsTask(string queue, string? workflow)
    {
        await Channel.QueueDeclareAsync(queue, true, false, false, cancellationToken: Token);
        await PublishAsync(queue, GoodDocument);
        var session = await JoinAsync();
        var task = await ClaimAsync(session, workflow is null ? null : ClaimRequest.Anything with { Workflows = [workflow] });
        Assert.Equal("good", task.Document.Id);
    }

    [Fact]
    public async Task Claim_LaneToldOfLongAgo_FindsItsTask()
    {
        var clock = new ShiftedClock();
        var options = new QueueOptions { Retention = TimeSpan.FromMinutes(1) };
        await using var old = TaskQueues.Open(Address.ToString(), options, clock);
        await using var serves = await JoinAsync("serves-others", old);
        var task = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(GoodDocument))[0] with { Workflow = "align", Priority = 2 };
        Assert.Equal(SendResult.Sent, Assert.Single(await old.SendAsync([task], Token)).Result);
        // As the broker does with what is older than the retention, and with nothing sooner than that.
        await Fixture.Server.DeleteQueueAsync(Names.Events, Address.AbsolutePath[1..]);
        clock.Shift = options.Retention * 0.6;
        await using var fresh = TaskQueues.Open(Address.ToString(), options, clock);
        await using var serving = await JoinAsync("serves-all", fresh);
        Assert.Equal("good", (await ClaimAsync(serving)).Document.Id);
    }
}
