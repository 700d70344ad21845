using Sisyphus.Engine.Queues;
using Sisyphus.Tests.Unit.Queues.Sqlite;
using Sisyphus.Tests.Unit.Storage;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

public sealed class TaskSenderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Send_OneTask_HasItsOutcomeWithoutAnother()
    {
        await using var queue = TaskQueues.Open("sqlite:" + _folder["queue.db"]);
        await using var sender = new TaskSender(queue);
        Assert.True(sender.TrySend(SqliteDocuments.Make("a")));
        Assert.Equal(new SendOutcome("a", SendResult.Sent), (await sender.Outcomes.ReadAsync(Token)).Outcome);
    }

    [Fact]
    public async Task Send_MoreThanABatch_KeepsTheOrderAndTellsOfTheOneThatIsKnown()
    {
        await using var queue = TaskQueues.Open("sqlite:" + _folder["queue.db"]);
        await queue.SendAsync([SqliteDocuments.Make("t700")], Token);
        await using var sender = new TaskSender(queue);
        List<SentTask> outcomes = [];
        for (var i = 0; i < 1200; i++)
        {
            var task = SqliteDocuments.Make($"t{i}");
            while (!sender.TrySend(task))
                outcomes.Add(await sender.Outcomes.ReadAsync(Token));
        }
        sender.Complete();
        outcomes.AddRange(await sender.Outcomes.ReadAllAsync(Token).ToListAsync(Token));
        Assert.Equal(Enumerable.Range(0, 1200).Select(i => $"t{i}"), outcomes.Select(sent => sent.Outcome.TaskId));
        Assert.All(outcomes, sent => Assert.Equal(sent.Task.Id == "t700" ? SendResult.AlreadySent : SendResult.Sent, sent.Outcome.Result));
        Assert.Equal(1200, (await queue.GetInfoAsync(Token)).Ready);
    }

    [Fact]
    public async Task Send_ToWhatIsNoQueue_EndsTheOutcomesWithTheFailure()
    {
        await File.WriteAllTextAsync(_folder["diary"], new string('x', 5000), Token);
        await using var queue = TaskQueues.Open("sqlite:" + _folder["diary"]);
        await using var sender = new TaskSender(queue);
        Assert.True(sender.TrySend(SqliteDocuments.Make("a")));
        var failure = await Assert.ThrowsAsync<QueueException>(() => sender.Outcomes.WaitToReadAsync(Token).AsTask());
        Assert.Equal(QueueFailure.NotAQueue, failure.Failure);
    }

    [Fact]
    public async Task Dispose_WithTasksWaiting_SendsWholeBatchesOrNothing()
    {
        await using var queue = TaskQueues.Open("sqlite:" + _folder["queue.db"]);
        await using (var sender = new TaskSender(queue))
        {
            for (var i = 0; i < TaskSender.BatchSize; i++)
                sender.TrySend(SqliteDocuments.Make($"t{i}"));
        }
        var sent = await queue.GetTasksAsync(new TaskQuery(), Token).Select(task => task.Id).ToListAsync(Token);
        Assert.Equal(Enumerable.Range(0, sent.Count).Select(i => $"t{i}"), sent);
    }
}
