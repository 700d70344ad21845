using Sisyphus.Engine.Queues;

namespace Sisyphus.Engine.Nodes;

/// <summary>What the node runs, and what room that leaves. A task without a limit takes a slot only.</summary>
internal sealed class Runs(double cpus, long memory, Standing standing, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly HashSet<DeliveryRun> _runs = [];
    private TaskCompletionSource _change = NewChange();
    private double _cpus = cpus;
    private long _memory = memory;
    private long _idleSince = time.GetTimestamp();

    /// <summary>Processors that tasks may have together.</summary>
    public double Cpus => _cpus;
    /// <summary>Bytes, likewise.</summary>
    public long Memory => _memory;
    /// <summary>Tasks that were claimed and not put back.</summary>
    public int Taken { get; private set; }
    /// <summary>Tasks that came to their end here.</summary>
    public long Finished { get; private set; }

    public DeliveryRun[] Snapshot()
    {
        lock (_gate)
            return [.. _runs];
    }

    /// <summary>Since when there is nothing to do; null when there is.</summary>
    public TimeSpan? Idle
    {
        get
        {
            lock (_gate)
                return _runs.Count > 0 ? null : time.GetElapsedTime(_idleSince);
        }
    }

    /// <summary>Ends when there may be more to take, or nothing may be taken. Take it before looking.</summary>
    public Task NextChange()
    {
        lock (_gate)
            return _change.Task;
    }

    public ClaimRequest Free(IEnumerable<string> workflows)
    {
        lock (_gate)
        {
            // Summed anew each time, and rounded: tenths don't add up in binary, and what just fits has to fit.
            var free = Math.Round(_cpus - _runs.Sum(run => run.Resources.Cpus ?? 0), 6);
            return new ClaimRequest(Math.Max(0, free), Math.Max(0, _memory - _runs.Sum(run => run.Resources.Memory ?? 0)), [.. workflows]);
        }
    }

    public void Resize(double cpus, long memory)
    {
        lock (_gate)
            (_cpus, _memory) = (cpus, memory);
    }

    public void Add(DeliveryRun run)
    {
        lock (_gate)
        {
            _runs.Add(run);
            Taken++;
            standing.SetRunning(_runs.Count);
        }
    }

    public void Remove(DeliveryRun run)
    {
        lock (_gate)
        {
            _runs.Remove(run);
            Taken -= run.IsPutBack ? 1 : 0;
            Finished += run.HasFinishedTask ? 1 : 0;
            _idleSince = time.GetTimestamp();
            standing.SetRunning(_runs.Count);
        }
        Wake();
    }

    /// <summary>Time in which nothing could be taken is no time without work.</summary>
    public void RestartIdle()
    {
        lock (_gate)
            _idleSince = time.GetTimestamp();
    }

    public void Wake()
    {
        lock (_gate)
        {
            _change.TrySetResult();
            _change = NewChange();
        }
    }

    public void Cancel(string taskId)
    {
        foreach (var run in Snapshot().Where(run => run.TaskId == taskId))
            run.Cancel();
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
