using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Nodes;

using Xunit;

namespace Sisyphus.Tests.Integration.Nodes;

/// <summary>A node at work, and all that it has told.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly List<NodeEvent> _events = [];
    private readonly Task _reading;

    public RunningNode(Node node, bool read = true)
    {
        Node = node;
        Ended = node.RunAsync(CancellationToken.None);
        _reading = read ? ReadAsync() : Task.CompletedTask;
    }

    public Node Node { get; }

    public Task Ended { get; }

    public IReadOnlyList<NodeEvent> Events
    {
        get
        {
            lock (_events)
                return [.. _events];
        }
    }

    public IEnumerable<TaskEvent> TaskEvents => Events.OfType<NodeTaskEvent>().Select(happened => happened.Event);

    public IReadOnlyList<TaskResult> Results => [.. TaskEvents.OfType<TaskFinished>().Select(finished => finished.Result)];

    public IEnumerable<NodeStateChanged> States => Events.OfType<NodeStateChanged>();

    public Task UntilAsync(Func<RunningNode, bool> condition) => TestWait.UntilAsync(() => Task.FromResult(condition(this)), s_limit);

    /// <summary>Waits for its end; an error of it is thrown.</summary>
    public async Task EndAsync()
    {
        await Ended.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        await _reading;
    }

    public ValueTask DisposeAsync() => Node.DisposeAsync();

    private async Task ReadAsync()
    {
        await foreach (var happened in Node.Events.ReadAllAsync(CancellationToken.None))
        {
            lock (_events)
                _events.Add(happened);
        }
    }
}
