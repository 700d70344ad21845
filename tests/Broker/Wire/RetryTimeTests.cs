using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Broker.Wire;

/// <summary>The retry schedule as it is by default, of which each delay is a queue with a time to live.</summary>
public sealed class RetryTimeTests(BrokerFixture fixture)
{
    private const string Template = """{"id": "some", "image": "tools:1", "commands": [{"command": ["true"]}]}""";

    private static readonly TaskDocument s_template = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes(Template))[0];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory, InlineData("quorum"), InlineData("classic")]
    public async Task Retry_DefaultSchedule_ComesBackWithinAFifthOfItsTime(string kind)
    {
        await using var queue = TaskQueues.Open($"{await fixture.NewVirtualHostAsync()}?queues={kind}", new QueueOptions());
        await using var session = await queue.JoinAsync(new NodeRegistration("node-1", 20, 8, 16L << 30, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        // The one that waits a minute fails first, and must not keep the others.
        string[] ids = ["minute", "a", "b", "c", "d", "e"];
        await queue.SendAsync([.. ids.Select(id => s_template with { Id = id })], Token);
        var first = new List<IDelivery>();
        foreach (var _ in ids)
            first.Add(await session.ClaimAsync(ClaimRequest.Anything, Token));
        var failed = new ConcurrentDictionary<string, long>();
        var failing = Task.Run(async () =>
        {
            foreach (var delivery in first.OrderByDescending(delivery => delivery.Document.Id!.Length))
            {
                var now = DateTimeOffset.UtcNow;
                var end = new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.TransferFailed, Started = now, Finished = now, RetryAfter = delivery.Document.Id == "minute" ? TimeSpan.FromSeconds(30) : null };
                failed[delivery.Document.Id!] = Stopwatch.GetTimestamp();
                Assert.True(await delivery.RetryAsync(end, Token));
                await Task.Delay(TimeSpan.FromSeconds(1.5), Token);
            }
        }, Token);
        foreach (var _ in ids)
        {
            var again = await session.ClaimAsync(ClaimRequest.Anything, Token).WaitAsync(TimeSpan.FromSeconds(90), Token);
            var (id, waited) = (again.Document.Id!, Stopwatch.GetElapsedTime(failed[again.Document.Id!]).TotalSeconds);
            TestContext.Current.TestOutputHelper?.WriteLine($"{id}: {waited:0.00} s");
            var step = id == "minute" ? 60 : 10;
            Assert.InRange(waited, 0.8 * step, 1.2 * step);
            Assert.Equal(1, again.FailedAttempts);
            Assert.True(await again.CompleteAsync(new TaskEnd { State = TaskState.Complete, Started = DateTimeOffset.UtcNow, Finished = DateTimeOffset.UtcNow }, Token));
        }
        await failing;
    }

    [Fact]
    public async Task Retry_SentTwice_TheOtherCopyDoesNotComeBeforeItsTime()
    {
        var options = new QueueOptions { Retry = new RetrySchedule { Steps = [TimeSpan.FromSeconds(5)] } };
        await using var queue = TaskQueues.Open($"{await fixture.NewVirtualHostAsync()}", options);
        await using var session = await queue.JoinAsync(new NodeRegistration("node-1", 20, 8, 16L << 30, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        for (var i = 0; i < 2; i++)
            await queue.SendAsync([s_template], Token);
        var now = DateTimeOffset.UtcNow;
        Assert.True(await (await session.ClaimAsync(ClaimRequest.Anything, Token)).RetryAsync(new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.TransferFailed, Started = now, Finished = now }, Token));
        var failed = Stopwatch.GetTimestamp();
        var again = await session.ClaimAsync(ClaimRequest.Anything, Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.InRange(Stopwatch.GetElapsedTime(failed), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(25));
        Assert.Equal(1, again.FailedAttempts);
        Assert.True(await again.CompleteAsync(new TaskEnd { State = TaskState.Complete, Started = now, Finished = DateTimeOffset.UtcNow }, Token));

        // The other one is gone when it has had its time, and runs nothing.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(8));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ClaimAsync(ClaimRequest.Anything, limit.Token));
        Assert.Equal(0, (await queue.GetInfoAsync(Token)).Ready);
    }
}
