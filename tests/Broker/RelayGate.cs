namespace Sisyphus.Tests.Broker;

/// <summary>What a <see cref="BrokerRelay"/> does to all its connections at the moment.</summary>
internal sealed class RelayGate
{
    private readonly Lock _lock = new();
    private RelayDirection _closed;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _delay;

    public RelayDirection Closed
    {
        set
        {
            TaskCompletionSource changed;
            lock (_lock)
            {
                _closed = value;
                changed = _changed;
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            changed.SetResult();
        }
    }

    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _delay));
        set => Interlocked.Exchange(ref _delay, value.Ticks);
    }

    /// <summary>Whether bytes on their way to the broker never arrive, with all that follow on their connection.</summary>
    public Func<ReadOnlySpan<byte>, bool>? Stops { get; set; }

    /// <summary>Returns when bytes may go that way.</summary>
    public async Task PassAsync(RelayDirection direction, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if ((_closed & direction) == 0)
                    return;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }
}
