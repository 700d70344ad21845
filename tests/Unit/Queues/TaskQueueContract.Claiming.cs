using System.Collections.Concurrent;
using System.Diagnostics;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    [Fact]
    public async Task Claim_TasksOfOnePriority_ComeInTheOrderOfSending()
    {
        await SendAsync([.. Enumerable.Range(0, 10).Select(i => Doc($"t{i}"))]);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"t{i}"), await ClaimIdsAsync(await JoinAsync(), 10));
    }

    [Fact]
    public async Task Claim_TasksOfSeveralPriorities_HighestComesFirst()
    {
        await SendAsync(Doc("low", 0), Doc("mid-1", 4), Doc("high", 9), Doc("mid-2", 4));
        Assert.Equal(["high", "mid-1", "mid-2", "low"], await ClaimIdsAsync(await JoinAsync(), 4));
    }

    [Fact]
    public async Task Claim_Workflows_TakesOnlyTheirs()
    {
        await SendAsync(Doc("none"), Doc("a", workflow: "A"), Doc("b", workflow: "B"), Doc("c", 9, "C"));
        var session = await JoinAsync();
        var request = ClaimRequest.Anything with { Workflows = ["B", "A"] };
        Assert.Equal(["a", "b"], await ClaimIdsAsync(session, 2, request));
        await AssertNothingToClaimAsync(session, request);
        Assert.Equal(["c", "none"], await ClaimIdsAsync(session, 2));
    }

    [Fact]
    public async Task Claim_TaskThatDoesNotFit_IsPassedOverForOneThatDoes()
    {
        await SendAsync(Doc("cpu", 9, cpus: 4), Doc("memory", 8, memory: 8L << 30), Doc("fits", 0, cpus: 1, memory: 1 << 30), Doc("needs-none", 0));
        var session = await JoinAsync();
        var request = new ClaimRequest(2, 4L << 30, []);
        Assert.Equal(["fits", "needs-none"], await ClaimIdsAsync(session, 2, request));
        await AssertNothingToClaimAsync(session, request);
        // A queue may put what did not fit aside for a moment, each task for itself.
        Assert.Equal(["cpu", "memory"], (await ClaimIdsAsync(session, 2, new ClaimRequest(4, 8L << 30, []))).Order());
    }

    [Fact]
    public async Task Claim_NoRoomAtAll_TakesATaskThatNeedsNone()
    {
        await SendAsync(Doc("a", cpus: 0.01), Doc("b"));
        Assert.Equal("b", (await ClaimAsync(await JoinAsync(), new ClaimRequest(0, 0, []))).Document.Id);
    }

    [Fact]
    public async Task Claim_SendFromAnotherConnection_WakesWithin100Milliseconds()
    {
        var other = await QueueAsync();
        var session = await JoinAsync();
        var delays = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var claiming = ClaimAsync(session);
            await Task.Delay(150, Token);
            await other.SendAsync([Doc($"t{i}")], Token);
            var since = Stopwatch.GetTimestamp();
            await claiming;
            delays.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
        // The median: the machine that runs the tests has other things to do now and then.
        Assert.True(delays.Order().ElementAt(4) < 100, string.Join(", ", delays));
    }

    [Fact]
    public async Task Claim_Canceled_LeavesNothingLeased()
    {
        var session = await JoinAsync();
        await AssertNothingToClaimAsync(session);
        await SendAsync(Doc("a"));
        Assert.Equal(1, (await Queue.GetInfoAsync(Token)).Ready);
        Assert.Equal("a", (await ClaimAsync(session)).Document.Id);
    }

    [Fact]
    public async Task Claim_CanceledInTheInstantOfTheSend_LosesNoTask()
    {
        var session = await JoinAsync();
        var claimed = new List<string>();
        for (var i = 0; i < 30; i++)
        {
            using var canceled = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var claiming = session.ClaimAsync(ClaimRequest.Anything, canceled.Token);
            await SendAsync(Doc($"t{i}"));
            await Task.Delay(i % 5, Token);
            await canceled.CancelAsync();
            try
            {
                claimed.Add((await claiming).Document.Id!);
            }
            catch (OperationCanceledException)
            {
                // Then the task must still be there.
            }
        }
        claimed.AddRange(await ClaimIdsAsync(session, 30 - claimed.Count));
        Assert.Equal(30, claimed.Distinct().Count());
    }

    [Fact]
    public async Task Claim_ManyNodesAtOnce_EachTaskGoesToOne()
    {
        await SendAsync([.. Enumerable.Range(0, 120).Select(i => Doc($"t{i}"))]);
        var claimed = new ConcurrentBag<string>();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            var session = await JoinAsync($"n{i}", await QueueAsync());
            for (var n = 0; n < 20; n++)
                claimed.Add((await ClaimAsync(session)).Document.Id!);
        }).ToArray());
        Assert.Equal(120, claimed.Distinct().Count());
    }

    [Fact]
    public async Task Claim_LeasedTask_IsNobodyElses()
    {
        await SendAsync(Doc("a"));
        await ClaimAsync(await JoinAsync("n1"));
        await AssertNothingToClaimAsync(await JoinAsync("n2"));
        var task = await TaskAsync("a");
        Assert.Equal((TaskState.Initializing, "n1"), (task.State, task.Node));
    }

    [Theory, InlineData(""), InlineData("not JSON"), InlineData("{}"), InlineData("[1]"), InlineData("""{"id": "poison", "image": "a", "commands": []}""")]
    public async Task Claim_TextThatIsNoDocument_BecomesADeadLetterAndNeverComesOut(string text)
    {
        await SendRawAsync(Queue, "poison", text);
        await SendAsync(Doc("good"));
        var session = await JoinAsync();
        Assert.Equal("good", (await ClaimAsync(session)).Document.Id);
        await AssertNothingToClaimAsync(session);
        var letter = Assert.Single(await DeadAsync());
        Assert.Equal((FailureReason.InvalidDocument, text), (letter.Reason, letter.Document));
        Assert.NotEmpty(letter.Message);
    }

    [Fact]
    public async Task Claim_DocumentWithoutId_IsRefusedOrGetsOne()
    {
        await SendRawAsync(Queue, "no-id", """{"image": "a", "commands": [{"command": ["x"]}]}""");
        await SendAsync(Doc("good"));
        var session = await JoinAsync();
        if (!RefusesDocumentsWithoutId)
            Assert.Equal("no-id", (await ClaimAsync(session)).Document.Id);
        Assert.Equal("good", (await ClaimAsync(session)).Document.Id);
        Assert.Equal(RefusesDocumentsWithoutId ? 1 : 0, (await DeadAsync()).Count);
    }

    [Fact]
    public async Task Claim_DocumentWithKeysOfTheFuture_ComesOutWithAWarning()
    {
        await SendRawAsync(Queue, "a", """{"id": "a", "image": "tools:1", "commands": [{"command": ["true"]}], "teleport": true}""");
        Assert.Contains("teleport", Assert.Single((await ClaimAsync(await JoinAsync())).Warnings), StringComparison.Ordinal);
    }
}
