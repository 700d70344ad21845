using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Sisyphus.Tests.Unit.Queues.Sqlite;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public sealed class TaskWaitTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TornQueue _queue;

    public TaskWaitTests() => _queue = new TornQueue(TaskQueues.Open("sqlite:" + _folder["queue.db"]));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Steps_EndsBeforeAndAfterTheLook_AreAllSeen()
    {
        await _queue.SendAsync([SqliteDocuments.Make("a"), SqliteDocuments.Make("b"), SqliteDocuments.Make("c")], Token);
        await _queue.CancelAsync(["b"], Token);
        var wait = new TaskWait(_queue, ["a", "b", "c"]);
        List<string> ended = [];
        await foreach (var task in wait.StepsAsync(CancellationToken.None, Token))
        {
            if (task is not null)
                ended.Add(task.Id);
            else if (wait.Pending.Count == 2)
                await _queue.CancelAsync(["c", "a"], Token);
        }
        Assert.Equal(["b", "c", "a"], ended);
        Assert.Equal(3, wait.Counts[TaskState.Canceled]);
        Assert.Equal(0, wait.Counts[TaskState.Queued]);
    }

    [Fact]
    public async Task Steps_WhatHappenedBeforeTheLook_IsNotReadAgain()
    {
        await _queue.SendAsync([SqliteDocuments.Make("a")], Token);
        List<string?> steps = [];
        await foreach (var task in new TaskWait(_queue, ["a"]).StepsAsync(CancellationToken.None, Token))
        {
            steps.Add(task?.Id);
            if (steps.Count == 1)
                await _queue.CancelAsync(["a"], Token);
        }
        Assert.Equal([null, "a"], steps);
    }

    [Fact]
    public async Task Steps_UnknownId_IsToldAndNotWaitedFor()
    {
        var wait = new TaskWait(_queue, ["nobody"]);
        Assert.Empty(await wait.StepsAsync(CancellationToken.None, Token).ToListAsync(Token));
        Assert.Equal(["nobody"], wait.Unknown);
        Assert.Empty(wait.Pending);
    }

    [Fact]
    public async Task Steps_EnoughFromTheStart_LooksOnceAndTellsWhatGoesOn()
    {
        await _queue.SendAsync([SqliteDocuments.Make("a"), SqliteDocuments.Make("b")], Token);
        await _queue.CancelAsync(["a"], Token);
        var wait = new TaskWait(_queue, ["a", "b"]);
        var steps = await wait.StepsAsync(new CancellationToken(canceled: true), Token).ToListAsync(Token);
        Assert.Equal("a", steps.Single(task => task is not null)!.Id);
        Assert.Equal(["b"], wait.Pending);
    }

    [Fact]
    public async Task Steps_OutageAfterTheLook_GoOn()
    {
        await _queue.SendAsync([SqliteDocuments.Make("a")], Token);
        List<string?> steps = [];
        await foreach (var task in new TaskWait(_queue, ["a"]).StepsAsync(CancellationToken.None, Token))
        {
            steps.Add(task?.Id);
            if (steps.Count > 1)
                continue;
            _queue.Tear(1);
            await _queue.CancelAsync(["a"], Token);
        }
        Assert.Equal(0, _queue.Failing);
        Assert.Equal([null, "a"], steps);
    }

    [Fact]
    public async Task Steps_ResumedAfterAnEnd_GoesOnToTheNextEnd()
    {
        await _queue.SendAsync([SqliteDocuments.Make("a")], Token);
        await using var session = await _queue.JoinAsync(new NodeRegistration("n", 1, 1, 1, "Tests 1", TimeSpan.FromSeconds(5)), Token);
        var now = TimeProvider.System.GetUtcNow();
        await (await session.ClaimAsync(ClaimRequest.Anything, Token)).RejectAsync(
            new TaskEnd { State = TaskState.SystemError, Reason = FailureReason.Internal, Started = now, Finished = now }, Token);
        await _queue.ResumeAsync(["a"], Token);
        List<TaskState> ends = [];
        var asked = false;
        await foreach (var task in new TaskWait(_queue, ["a"]).StepsAsync(CancellationToken.None, Token))
        {
            if (task is not null)
                ends.Add(task.State);
            // The old end is a step like any other, but no end.
            else if (!asked)
                asked = (await _queue.CancelAsync(["a"], Token))[0].Result == CancelResult.Canceled;
        }
        Assert.Equal([TaskState.Canceled], ends);
    }

    [Fact]
    public async Task Steps_MoreThanTheFilterTakes_AreAllSeen()
    {
        var ids = Enumerable.Range(0, 1500).Select(i => $"t{i}").ToArray();
        await _queue.SendAsync([.. ids.Select(SqliteDocuments.Make)], Token);
        var wait = new TaskWait(_queue, ids);
        var ended = 0;
        var canceled = false;
        await foreach (var task in wait.StepsAsync(CancellationToken.None, Token))
        {
            if (task is not null)
                ended++;
            else if (!canceled)
                canceled = (await _queue.CancelAsync(ids, Token)).Count > 0;
        }
        Assert.Equal(ids.Length, ended);
    }
}
