using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Settings of a <c>Node</c>.</summary>
public sealed class NodeOptions
{
    public static readonly TimeSpan DefaultHeartbeatInterval = TimeSpan.FromSeconds(5);

    /// <summary>How tasks run: slots, name, policy, work directory.</summary>
    public required TaskRunnerOptions Tasks { get; init; }
    /// <summary>Takes tasks of these workflows only; empty for every task.</summary>
    public IList<string> Workflows { get; init; } = [];
    /// <summary>The node ends by itself when it has had nothing to do for so long, 0 s to 30 days; null for never. It looks for a second at least.</summary>
    public TimeSpan? IdleTimeout { get; set; }
    /// <summary>The node takes so many tasks and ends, 1 or more; null for no limit.</summary>
    public int? MaxTasks { get; set; }
    /// <summary>Processors that tasks may have together, 0.01 or more; null for all that the container engine has.</summary>
    public double? Cpus { get; set; }
    /// <summary>Bytes, 6 MiB or more; null for all that the container engine has.</summary>
    public long? Memory { get; set; }
    /// <summary>1 s to 5 min.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = DefaultHeartbeatInterval;

    /// <summary>The node's own reader gets the lines that tasks write, as far as he keeps up. Who reads them from the queue gets them in any case.</summary>
    public bool ReportOutput { get; set; } = true;

    /// <exception cref="ArgumentException">Names the option, its value and the allowed range.</exception>
    public void Validate()
    {
        Tasks.Validate();
        Require(TaskId.IsValid(Tasks.NodeName), nameof(Tasks.NodeName), Tasks.NodeName, "1 to 128 letters, digits, dots, hyphens and underscores");
        Require(Workflows.All(WorkflowName.IsValid), nameof(Workflows), string.Join(", ", Workflows), WorkflowName.Allowed);
        Require(IdleTimeout is null || (IdleTimeout >= TimeSpan.Zero && IdleTimeout <= TimeSpan.FromDays(30)), nameof(IdleTimeout), IdleTimeout, "0 s to 30 days");
        Require(MaxTasks is null or >= 1, nameof(MaxTasks), MaxTasks, "1 or more");
        Require(Cpus is null or (>= 0.01 and <= 100_000), nameof(Cpus), Cpus, "0.01 to 100,000");
        Require(Memory is null or >= 6 * 1024 * 1024, nameof(Memory), Memory, "6 MiB or more");
        Require(HeartbeatInterval >= TimeSpan.FromSeconds(1) && HeartbeatInterval <= TimeSpan.FromMinutes(5), nameof(HeartbeatInterval), HeartbeatInterval, "1 s to 5 min");
    }

    private static void Require(bool condition, string name, object? value, string allowed)
    {
        if (!condition)
            throw new ArgumentException($"{name} is {value}; allowed: {allowed}.", name);
    }
}
