namespace Sisyphus.Engine.Queues;

/// <summary>A node as the registry knows it.</summary>
public sealed record NodeInfo
{
    public required string Name { get; init; }
    public required NodeState State { get; init; }
    public required int Concurrency { get; init; }
    /// <summary>Ids of the tasks that it runs.</summary>
    public IReadOnlyList<string> Tasks { get; init => field = value.ToArray(); } = [];
    public int Running => Tasks.Count;
    /// <summary>Processors promised to running tasks, and of how many.</summary>
    public double CpusInUse { get; init; }
    public required double Cpus { get; init; }
    /// <summary>Bytes, likewise.</summary>
    public long MemoryInUse { get; init; }
    public required long Memory { get; init; }
    public double? Load { get; init; }
    /// <summary>Tasks that it brought to an end since it joined.</summary>
    public long Finished { get; init; }
    /// <summary>Why it is paused; else empty.</summary>
    public string Message { get; init; } = "";
    public required string Machine { get; init; }
    public required int ProcessId { get; init; }
    public required string Software { get; init; }
    public required DateTimeOffset Joined { get; init; }
    public required DateTimeOffset LastSeen { get; init; }
}
