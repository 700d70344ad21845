namespace Sisyphus.Engine.Tasks;

/// <summary>Upper limits, enforced by the container engine; null is no limit but the node's.</summary>
public sealed record TaskResources : TaskPart
{
    public static readonly TaskResources Unlimited = new();

    /// <summary>Processors, 0.01 or more; 1.5 is one and a half.</summary>
    public double? Cpus { get; init; }
    /// <summary>Bytes, 6 MiB or more (the container engine's own minimum).</summary>
    public long? Memory { get; init; }
    /// <summary>Bytes that inputs, outputs and the container's own layer may take together.</summary>
    public long? Disk { get; init; }
    /// <summary>Number of GPUs.</summary>
    public int? Gpus { get; init; }
    /// <summary>Processes and threads at a time.</summary>
    public long? Pids { get; init; }
    /// <summary>Bytes of <c>/dev/shm</c>.</summary>
    public long? SharedMemory { get; init; }
}
