using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    [Fact]
    public async Task Send_Task_IsKnownToEverybodyWhenItReturns()
    {
        var outcome = Assert.Single(await SendAsync(Doc("a")));
        Assert.Equal(new SendOutcome("a", SendResult.Sent), outcome);
        var other = await QueueAsync();
        var task = Assert.Single(await ListAsync(other.GetTasksAsync(new TaskQuery(), Token)));
        Assert.Equal(("a", TaskState.Queued, 0, 0), (task.Id, task.State, task.Attempts, task.Losses));
    }

    [Fact]
    public async Task Send_Document_ComesOutEqual()
    {
        var document = Doc("a", 7, "flow", 1.5, 1 << 30) with { Tags = new Dictionary<string, string> { ["ключ"] = "値 \"😀\"" }, Retries = 9 };
        await SendAsync(document);
        var delivery = await ClaimAsync(await JoinAsync());
        Assert.Equal(document, delivery.Document);
        Assert.Empty(delivery.Warnings);
        Assert.Equal((0, 0), (delivery.FailedAttempts, delivery.Losses));
    }

    [Fact]
    public async Task Send_Batch_HasAnOutcomeForEachInOrder()
    {
        var outcomes = await Queue.SendAsync([.. Enumerable.Range(0, 1200).Select(i => Doc($"t{i}"))], Token);
        Assert.Equal(Enumerable.Range(0, 1200).Select(i => $"t{i}"), outcomes.Select(outcome => outcome.TaskId));
        Assert.All(outcomes, outcome => Assert.Equal(SendResult.Sent, outcome.Result));
    }

    [Fact]
    public async Task Send_KnownId_ChangesNothing()
    {
        await SendAsync(Doc("a", priority: 3));
        Assert.Equal([SentAgain, SendResult.Sent], (await SendAsync(Doc("a", priority: 9), Doc("b"))).Select(outcome => outcome.Result));
        Assert.Equal(3, (await TaskAsync("a")).Priority);
        var session = await JoinAsync();
        Assert.Equal(["a", "b"], (await ClaimIdsAsync(session, 2)).Order());
        await AssertNothingToClaimAsync(session);
    }

    [Fact]
    public async Task Send_IdTwiceInOneBatch_SendsTheFirst()
    {
        Assert.Equal([SendResult.Sent, SendResult.AlreadySent], (await SendAsync(Doc("a", priority: 3), Doc("a", priority: 9))).Select(outcome => outcome.Result));
        Assert.Equal(3, (await TaskAsync("a")).Priority);
    }

    [Fact]
    public async Task Send_IdOfEndedTask_IsNotRunAgain()
    {
        await SendAsync(Doc("a"));
        var session = await JoinAsync();
        Assert.True(await (await ClaimAsync(session)).CompleteAsync(Complete(), Token));
        Assert.Equal(SentAgain, (await SendAsync(Doc("a")))[0].Result);
        await AssertNothingToClaimAsync(session);
        Assert.Equal(TaskState.Complete, (await TaskAsync("a")).State);
    }

    [Fact]
    public async Task Send_TaskWithoutId_IsRefusedBeforeAnythingIsSent()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => SendAsync(Doc("a"), Template));
        Assert.Empty(await ListAsync(Queue.GetTasksAsync(new TaskQuery(), Token)));
    }

    [Theory, InlineData("_x"), InlineData("amq.x"), InlineData("a b"), InlineData("")]
    public async Task Send_WorkflowOfNoPossibleName_IsRefusedBeforeAnythingIsSent(string workflow)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => SendAsync(Doc("a"), Doc("b") with { Workflow = workflow }));
        Assert.Contains($"'{workflow}'; allowed: ", error.Message, StringComparison.Ordinal);
        Assert.Empty(await ListAsync(Queue.GetTasksAsync(new TaskQuery(), Token)));
    }

    [Theory, InlineData(0), InlineData(10_001)]
    public async Task Send_BatchOutOfRange_IsRefusedWithTheRange(int count)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => Queue.SendAsync([.. Enumerable.Range(0, count).Select(i => Doc($"t{i}"))], Token));
        Assert.Contains("1 to 10", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_ManySendersAtOnce_LosesNothing()
    {
        var senders = Enumerable.Range(0, 6).Select(async sender =>
        {
            var queue = await QueueAsync();
            for (var i = 0; i < 10; i++)
                await queue.SendAsync([Doc($"s{sender}-{i}")], Token);
        });
        await Task.WhenAll(senders.ToArray());
        Assert.Equal(60, (await ListAsync(Queue.GetTasksAsync(new TaskQuery(), Token))).Count);
    }
}
