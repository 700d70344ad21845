using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>How the node is doing, of all that has a say in it: a state that is new is an event, and told to the registry.</summary>
internal sealed class Standing(NodeEvents events, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _change = NewChange();
    private string? _trouble;
    private string? _queueTrouble;
    private bool _draining;
    private int _running;
    private (NodeState State, string Message) _told = (NodeState.Idle, "");

    public (NodeState State, string Message) Now
    {
        get
        {
            lock (_gate)
                return _told;
        }
    }

    /// <summary>Tasks that the node has.</summary>
    public int Running
    {
        get
        {
            lock (_gate)
                return _running;
        }
    }

    /// <summary>Ends with the next change. Take it before looking.</summary>
    public Task NextChange()
    {
        lock (_gate)
            return _change.Task;
    }

    /// <param name="trouble">Why the node can't run tasks; null when it can.</param>
    public void SetTrouble(string? trouble) => Set(() => _trouble = trouble);

    /// <param name="trouble">What the queue fails with; null when it answers.</param>
    public void SetQueueTrouble(string? trouble)
    {
        // Said at every answer of the queue, so that the usual case should cost nothing.
        if (trouble is not null || Volatile.Read(ref _queueTrouble) is not null)
            Set(() => _queueTrouble = trouble);
    }

    public void SetDraining() => Set(() => _draining = true);

    /// <summary>Others also see what runs, so every call is a change.</summary>
    public void SetRunning(int running) => Set(() => _running = running, always: true);

    public void SetLeft() => events.Tell(new NodeStateChanged(time.GetUtcNow(), NodeState.Left, ""));

    private void Set(Action set, bool always = false)
    {
        lock (_gate)
        {
            set();
            var now = _draining ? (NodeState.Draining, "")
                : _trouble is not null ? (NodeState.Paused, _trouble)
                : _queueTrouble is not null ? (NodeState.Paused, _queueTrouble)
                : (_running > 0 ? NodeState.Busy : NodeState.Idle, "");
            if (now != _told)
                events.Tell(new NodeStateChanged(time.GetUtcNow(), now.Item1, now.Item2));
            else if (!always)
                return;
            _told = now;
            _change.TrySetResult();
            _change = NewChange();
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
