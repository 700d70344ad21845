using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

using Xunit;

namespace Sisyphus.Tests.Unit.Nodes;

public sealed class NodeEventsTests
{
    private readonly NodeEvents _events = new();

    [Fact]
    public void Offer_NobodyReads_DropsAndLeavesRoomForWhatIsKept()
    {
        for (var index = 0; index < 5000; index++)
            _events.Offer(Progress());
        var kept = _events.KeepAsync(Finished("a"), "a", TestContext.Current.CancellationToken);
        Assert.True(kept.IsCompletedSuccessfully);
        Assert.Contains(Drain(), happened => happened is NodeTaskEvent { Event: TaskFinished });
    }

    [Fact]
    public async Task KeepAsync_NoRoom_WaitsForTheReader()
    {
        List<Task> waiting = [];
        for (var index = 0; index < 1025; index++)
            waiting.Add(_events.KeepAsync(Finished($"t{index}"), "t", TestContext.Current.CancellationToken));
        Assert.False(waiting[^1].IsCompleted);
        Assert.True(_events.Reader.TryRead(out _));
        await waiting[^1].WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal("t1024", ((NodeTaskEvent)Drain()[^1]).Event.TaskId);
    }

    [Fact]
    public async Task KeepAsync_Abandoned_GivesUp()
    {
        for (var index = 0; index < 1024; index++)
            await _events.KeepAsync(Finished("t"), "t", TestContext.Current.CancellationToken);
        using var abandon = new CancellationTokenSource();
        var waiting = _events.KeepAsync(Finished("last"), "t", abandon.Token);
        Assert.False(waiting.IsCompleted);
        await abandon.CancelAsync();
        await waiting.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Tell_NoRoom_IsHandedOnInOrderWhenThereIsSome()
    {
        for (var index = 0; index < 1024; index++)
            await _events.KeepAsync(Finished("t"), "t", TestContext.Current.CancellationToken);
        _events.Tell(new NodeStateChanged(DateTimeOffset.UnixEpoch, NodeState.Paused, "why"));
        _events.Tell(new NodeStateChanged(DateTimeOffset.UnixEpoch, NodeState.Idle, ""));
        Drain();
        _events.Flush();
        Assert.Equal([NodeState.Paused, NodeState.Idle], Drain().OfType<NodeStateChanged>().Select(state => state.State));
    }

    private List<NodeEvent> Drain()
    {
        List<NodeEvent> events = [];
        while (_events.Reader.TryRead(out var happened))
            events.Add(happened);
        return events;
    }

    private static NodeTaskEvent Progress() => new(new OutputLineReceived("p", DateTimeOffset.UnixEpoch, OutputStream.StandardOutput, "line"), "p");

    private static TaskFinished Finished(string id) => new(id, DateTimeOffset.UnixEpoch, new TaskResult
    {
        Id = id, State = TaskState.Complete, Attempts = 1, Started = DateTimeOffset.UnixEpoch, Finished = DateTimeOffset.UnixEpoch, Image = "i",
    });
}
