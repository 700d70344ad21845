using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>The broker has the end of a task, and its node does not hear so.</summary>
public sealed class EndCutTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Complete_NotHeardOfAndRenewedMeanwhile_CountsWhenItIsSaidAgain()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var work = new Workload(fixture.Server, TimeSpan.FromSeconds(30), settings: "heartbeat=10");
        await using var queue = TaskQueues.Open(work.AddressOf(relay.Through(fixture.Server.AmqpUri)), work.Options());
        await using var session = await queue.JoinAsync(new NodeRegistration("cut", 1, 1, 1, "faults 1", TimeSpan.FromSeconds(5)), Token);
        var id = Assert.Single(await work.SendAsync(1));
        var delivery = await session.ClaimAsync(ClaimRequest.Anything, Token);
        relay.StopAt(bytes =>
        {
            if (bytes.IndexOf("TaskEnded"u8) >= 0)
                relay.Cut(RelayDirection.ToClient);
            return false;
        });
        var end = new TaskEnd { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow };
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var completing = delivery.CompleteAsync(end, impatient.Token);
        while (Assert.Single(await work.ReadAsync(), task => task.Id == id).State != TaskState.Complete)
            await Task.Delay(50, Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => completing);
        relay.StopAt(null);
        relay.Heal();
        // By then its session has read of it, too.
        await foreach (var task in queue.GetTasksAsync(new TaskQuery { Ids = [id] }, Token))
            Assert.Equal(TaskState.Complete, task.State);

        Assert.Equal(LeaseState.Held, await delivery.RenewAsync(Token));
        Assert.True(await delivery.CompleteAsync(end, Token));
        Assert.False(await delivery.CompleteAsync(end, Token));
        await work.AssertEmptyAsync();
    }
}
