using System.Text;
using Sisyphus.Engine.Queues;
using Xunit;

namespace Sisyphus.Tests.Broker.Faults;

/// <summary>A node dies in the middle of a claim, between any two of its messages to the broker.</summary>
public sealed class ClaimCutTests(OwnBrokerFixture fixture) : IClassFixture<OwnBrokerFixture>
{
    // Class 60 (basic), method 80 (ack), after the length that such a frame always has.
    private static readonly byte[] s_ack = [0, 0, 0, 13, 0, 60, 0, 80];
    private static readonly byte[] s_claimed = Encoding.UTF8.GetBytes("TaskClaimed");

    [Theory]
    [InlineData("lease", 0)]
    [InlineData("event", 0)]
    [InlineData("ack", 1)]
    public async Task Kill_BeforeThatMessageArrives_AnotherRunsTheTask(string message, int runs)
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var work = new Workload(fixture.Server, TimeSpan.FromSeconds(6)) { Hold = _ => TimeSpan.FromMinutes(1) };
        var doomed = await work.JoinAsync("doomed", 1, relay.Through(fixture.Server.AmqpUri));
        var lease = Encoding.UTF8.GetBytes($"{work.Prefix}.lease.doomed");
        var isClaimed = false;
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        relay.StopAt(bytes =>
        {
            var isThis = message switch
            {
                "lease" => bytes.IndexOf(lease) >= 0,
                "event" => bytes.IndexOf(s_claimed) >= 0,
                _ => isClaimed && bytes.IndexOf(s_ack) >= 0,
            };
            isClaimed |= bytes.IndexOf(s_claimed) >= 0;
            if (isThis)
                held.TrySetResult();
            return isThis;
        });
        await work.SendAsync(1);
        await held.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        if (runs > 0)
            await work.StartedAsync(runs);
        // Its messages are lost with it.
        await relay.RefuseAsync();
        await work.KillAsync(doomed);
        work.Hold = _ => TimeSpan.FromSeconds(1);
        await work.JoinAsync("heir", 1);
        var more = await work.FinishAsync(losses: 1);
        Assert.Equal(runs, more);
        work.Report($"node killed before its {message} arrives", more);
    }

    [Fact]
    public async Task Reset_BeforeTheClaimIsConfirmed_IsNobodysLoss()
    {
        await using var relay = new BrokerRelay(fixture.Server.Port);
        await using var work = new Workload(fixture.Server, TimeSpan.FromSeconds(6));
        await work.JoinAsync("cut", 1, relay.Through(fixture.Server.AmqpUri));
        var cuts = 0;
        var written = new SemaphoreSlim(0);
        relay.StopAt(bytes =>
        {
            // The claim arrives, and its node does not hear so.
            if (bytes.IndexOf(s_claimed) >= 0 && cuts++ < QueueOptions.DefaultMaxLosses)
            {
                relay.Cut(RelayDirection.ToClient);
                written.Release();
            }
            return false;
        });
        await work.SendAsync(1);
        for (var i = 0; i < QueueOptions.DefaultMaxLosses; i++)
        {
            Assert.True(await written.WaitAsync(TimeSpan.FromSeconds(40), TestContext.Current.CancellationToken));
            await Task.Delay(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
            await relay.ResetAsync();
            relay.Heal();
        }
        work.Report("connection reset before the claim is confirmed, three times", await work.FinishAsync());
    }
}
