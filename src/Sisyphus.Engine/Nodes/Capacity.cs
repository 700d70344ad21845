using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>What tasks may have together, and what is left of it. A task without a limit takes a slot only.</summary>
/// <param name="cpus">Processors.</param>
/// <param name="memory">Bytes.</param>
internal sealed class Capacity(double cpus, long memory)
{
    private readonly Lock _gate = new();
    private double _cpus = cpus;
    private long _memory = memory;
    private TaskCompletionSource _change = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public double Cpus { get; } = cpus;
    public long Memory { get; } = memory;

    public ClaimRequest Free(IList<string> workflows)
    {
        lock (_gate)
            return new ClaimRequest(_cpus, _memory, [.. workflows]);
    }

    /// <summary>Ends when something is given back. Take it before looking at what is free.</summary>
    public Task NextChange()
    {
        lock (_gate)
            return _change.Task;
    }

    public void Take(TaskResources resources)
    {
        lock (_gate)
        {
            _cpus -= resources.Cpus ?? 0;
            _memory -= resources.Memory ?? 0;
        }
    }

    public void GiveBack(TaskResources resources)
    {
        lock (_gate)
        {
            _cpus += resources.Cpus ?? 0;
            _memory += resources.Memory ?? 0;
            _change.TrySetResult();
            _change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
