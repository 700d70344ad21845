using System.Diagnostics;
using System.Text;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;
using Xunit;

namespace Sisyphus.Tests.Unit.Queues;

/// <summary>What every queue promises, asked through <see cref="ITaskQueue"/> only. One class a queue derives from it.</summary>
public abstract partial class TaskQueueContract : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan AWhile = TimeSpan.FromMilliseconds(400);
    private static readonly TaskDocument Template = TaskDocumentReader.ReadAll(Encoding.UTF8.GetBytes("""{"image": "tools:1", "commands": [{"command": ["true"]}]}"""))[0];

    private readonly List<IAsyncDisposable> _open = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ITaskQueue Queue { get; set; } = null!;

    /// <summary>Opens the queue of this test, empty at first; each further call opens the same one as another process does.</summary>
    private protected abstract Task<ITaskQueue> OpenAsync(QueueOptions options, TimeProvider clock);

    /// <summary>Ends a session as if its process had been killed.</summary>
    private protected abstract Task KillAsync(INodeSession session);

    /// <summary>Puts a text on the queue that no sender of ours would.</summary>
    private protected abstract Task SendRawAsync(ITaskQueue queue, string id, string text);

    /// <summary>What a sender hears of a task whose id is known. In any case it is not run again.</summary>
    private protected virtual SendResult SentAgain => SendResult.AlreadySent;

    /// <summary>Whether a document without an id is refused, or gets one.</summary>
    private protected virtual bool RefusesDocumentsWithoutId => true;

    public async ValueTask InitializeAsync() => Queue = await QueueAsync();

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var item in Enumerable.Reverse(_open))
            await item.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static QueueOptions Options(double leaseSeconds = 60, int maxLosses = 3, double retrySeconds = 0.3, TimeSpan? retention = null) => new()
    {
        LeaseTime = TimeSpan.FromSeconds(leaseSeconds),
        MaxLosses = maxLosses,
        Retention = retention ?? QueueOptions.DefaultRetention,
        Retry = new RetrySchedule { Steps = [TimeSpan.FromSeconds(retrySeconds)] },
    };

    private async Task<ITaskQueue> QueueAsync(QueueOptions? options = null, TimeProvider? clock = null)
    {
        var queue = await OpenAsync(options ?? Options(), clock ?? TimeProvider.System);
        _open.Add(queue);
        return queue;
    }

    private async Task<INodeSession> JoinAsync(string name = "node-1", ITaskQueue? queue = null, double heartbeatSeconds = 5)
    {
        var session = await (queue ?? Queue).JoinAsync(new NodeRegistration(name, 4, 8, 16L << 30, "Tests 1", TimeSpan.FromSeconds(heartbeatSeconds)), Token);
        _open.Add(session);
        return session;
    }

    private static TaskDocument Doc(string id, int priority = TaskDocument.DefaultPriority, string? workflow = null, double? cpus = null, long? memory = null) =>
        Template with { Id = id, Name = "name of " + id, Priority = priority, Workflow = workflow, Resources = new TaskResources { Cpus = cpus, Memory = memory } };

    private Task<IReadOnlyList<SendOutcome>> SendAsync(params TaskDocument[] tasks) => Queue.SendAsync(tasks, Token);

    private static async Task<IDelivery> ClaimAsync(INodeSession session, ClaimRequest? request = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        return await session.ClaimAsync(request ?? ClaimRequest.Anything, limit.Token);
    }

    private static async Task<IReadOnlyList<string>> ClaimIdsAsync(INodeSession session, int count, ClaimRequest? request = null)
    {
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
            ids.Add((await ClaimAsync(session, request)).Document.Id!);
        return ids;
    }

    /// <summary>Nothing comes out for a while, and the canceled call leaves nothing leased.</summary>
    private static async Task AssertNothingToClaimAsync(INodeSession session, ClaimRequest? request = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(AWhile);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ClaimAsync(request ?? ClaimRequest.Anything, limit.Token));
    }

    private async Task<TaskSummary> TaskAsync(string id) => Assert.Single(await ListAsync(Queue.GetTasksAsync(new TaskQuery { Ids = [id] }, Token)));

    private async Task<IReadOnlyList<QueueEvent>> EventsAsync(params string[] ids) => await ListAsync(Queue.ReadEventsAsync(new EventQuery { TaskIds = ids }, Token));

    private async Task<IReadOnlyList<DeadLetter>> DeadAsync(params string[] ids) => await ListAsync(Queue.GetDeadLettersAsync(ids, Token));

    private static async Task<IReadOnlyList<T>> ListAsync<T>(IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items.WithCancellation(Token))
            list.Add(item);
        return list;
    }

    private static async Task<T> FirstAsync<T>(IAsyncEnumerable<T> items, Func<T, bool> choose)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        await foreach (var item in items.WithCancellation(limit.Token))
        {
            if (choose(item))
                return item;
        }
        throw new InvalidOperationException("It ended without the item.");
    }

    /// <summary>Asks until the answer is as it should be: for what takes its time.</summary>
    private static async Task<T> EventuallyAsync<T>(Func<Task<T>> ask, Func<T, bool> enough)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var answer = await ask();
            if (enough(answer))
                return answer;
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"Still {answer}.");
            await Task.Delay(50, Token);
        }
    }

    private static TaskEnd Complete() => new() { State = TaskState.Complete, Started = Moment, Finished = Moment.AddSeconds(3), ExitCodes = [0], PeakMemory = 1000, Record = "results:.sisyphus/record.json" };

    private static TaskEnd Failure(FailureReason reason = FailureReason.ExecutorExit, string message = "it failed") => new()
    {
        State = reason.ToState(), Reason = reason, Message = message, Started = Moment, Finished = Moment.AddSeconds(3), ExitCodes = [1], LogTail = "the last lines",
    };

    private static TaskEnd Canceled() => new() { State = TaskState.Canceled, Reason = FailureReason.Canceled, Message = "It was canceled.", Started = Moment, Finished = Moment.AddSeconds(3) };

    private static DateTimeOffset Moment { get; } = new(2024, 2, 29, 12, 0, 0, 123, TimeSpan.Zero);
}
