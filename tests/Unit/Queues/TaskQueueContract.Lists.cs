using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public abstract partial class TaskQueueContract
{
    private async Task<IEnumerable<string>> IdsAsync(TaskQuery query) => (await ListAsync(Queue.GetTasksAsync(query, Token))).Select(task => task.Id);

    [Fact]
    public async Task GetTasks_MoreThanAPage_GivesEachOnceInTheOrderOfSending()
    {
        await Queue.SendAsync([.. Enumerable.Range(0, 1234).Select(i => Doc($"t{i}", priority: i % 10))], Token);
        Assert.Equal(Enumerable.Range(0, 1234).Select(i => $"t{i}"), await IdsAsync(new TaskQuery()));
    }

    [Fact]
    public async Task GetTasks_EachCriterion_Chooses()
    {
        await SendAsync(Doc("a", workflow: "A"), Doc("b", workflow: "B"), Doc("c", workflow: "B"), Doc("d"));
        await (await ClaimAsync(await JoinAsync("n1"), ClaimRequest.Anything with { Workflows = ["A"] })).CompleteAsync(Complete(), Token);
        await ClaimAsync(await JoinAsync("n2"), ClaimRequest.Anything with { Workflows = ["B"] });
        Assert.Equal(["b", "d"], await IdsAsync(new TaskQuery { Ids = ["d", "unknown", "b"] }));
        Assert.Equal(["a", "b"], await IdsAsync(new TaskQuery { States = [TaskState.Complete, TaskState.Initializing] }));
        Assert.Equal(["b", "c"], await IdsAsync(new TaskQuery { Workflow = "B" }));
        Assert.Equal(["b"], await IdsAsync(new TaskQuery { Node = "n2" }));
        Assert.Equal(["c", "d"], await IdsAsync(new TaskQuery { Last = 2 }));
        Assert.Equal(["c"], await IdsAsync(new TaskQuery { Workflow = "B", States = [TaskState.Queued], Last = 5 }));
        Assert.Empty(await IdsAsync(new TaskQuery { Workflow = "none", Last = 3 }));
    }

    [Theory, InlineData(0), InlineData(-1)]
    public async Task GetTasks_LastOutOfRange_IsRefusedWithTheRange(int last)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => IdsAsync(new TaskQuery { Last = last }));
        Assert.Contains("1 or more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetInfo_TasksInEveryPhase_AreCounted()
    {
        await SendAsync([.. Enumerable.Range(0, 6).Select(i => Doc($"t{i}"))]);
        var session = await JoinAsync();
        await (await ClaimAsync(session)).CompleteAsync(Complete(), Token);
        await (await ClaimAsync(session)).RejectAsync(Failure(), Token);
        await CancelAsync("t5");
        await ClaimAsync(session);
        var info = await Queue.GetInfoAsync(Token);
        Assert.Equal((2L, 0L, 1L, 1L, 2L, 1), (info.Ready, info.Delayed, info.Leased, info.DeadLetters, info.Ended, info.Nodes));
        Assert.Equal((await TaskAsync("t3")).Sent, info.OldestReady);
        Assert.Equal(Queue.Address, info.Address);
    }

    [Fact]
    public async Task GetInfo_EmptyQueue_HasNothing()
    {
        var info = await Queue.GetInfoAsync(Token);
        Assert.Equal((0L, 0L, 0L, 0L, 0L, 0), (info.Ready, info.Delayed, info.Leased, info.DeadLetters, info.Ended, info.Nodes));
        Assert.Null(info.OldestReady);
    }
}
