using System.Globalization;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Names on the broker. Those of CovertLab's Sisyphus (<c>-exchange</c>, <c>-queue</c>, <c>-task</c>) are kept; with another prefix several fleets share a virtual host.</summary>
internal sealed class QueueNames(string prefix)
{
    public const string OriginalPrefix = "sisyphus";
    /// <summary>On the bus, alone or before a node's name.</summary>
    public const string HeartbeatKey = "heartbeat";
    private const string FrontSuffix = ".front";
    private const string LaneSuffix = "-queue";

    /// <summary>Before a workflow's name.</summary>
    private readonly string _lanes = prefix == OriginalPrefix ? "" : prefix + ".";

    public string Exchange { get; } = $"{prefix}-exchange";

    public string TaskKey { get; } = $"{prefix}-task";

    /// <summary>Topic exchange of what happens: keys <c>task.ID.WHAT</c>, <c>tasks.sent</c>, <c>node.NAME.WHAT</c>, <c>heartbeat.NAME</c>, <c>output.ID</c>.</summary>
    public string Bus { get; } = $"{prefix}.bus";

    /// <summary>The log of the bus, a stream.</summary>
    public string Events { get; } = $"{prefix}.events";

    public string Heartbeats { get; } = $"{prefix}.heartbeats";

    /// <summary>Where leases go that ran out, and tasks whose delay is over; nodes take them on from there.</summary>
    public string Returns { get; } = $"{prefix}.returns";

    public string Dead { get; } = $"{prefix}.dead";

    public string DeadReader { get; } = $"{prefix}.dead.reader";

    public string Main { get; } = prefix + LaneSuffix;

    /// <summary>A queue for each delay, because a time to live that is a message's own waits behind those before it.</summary>
    public string Retry(TimeSpan delay) => $"{prefix}.retry.{Short(delay)}";

    /// <summary>The time to live of a queue never changes, so that other lease times have queues of other names.</summary>
    public string Lease(string node, TimeSpan leaseTime) => $"{prefix}.lease.{node}{(leaseTime == QueueOptions.DefaultLeaseTime ? "" : "@" + Short(leaseTime))}";

    /// <summary>Questions to a node, whose name is the node's as long as it lives: the first of these queues, or where that is on a member of the cluster that is down one of the others.</summary>
    public IReadOnlyList<string> Node(string node) => [$"{prefix}.node.{node}", $"{prefix}.node.{node}~2", $"{prefix}.node.{node}~3"];

    /// <summary>The queue of tasks of one workflow and one priority.</summary>
    public string Lane(string? workflow, int priority) =>
        (workflow is null ? Main : _lanes + workflow + LaneSuffix)
        + (priority == TaskDocument.DefaultPriority ? "" : string.Create(CultureInfo.InvariantCulture, $".p{priority}"));

    public string LaneKey(string? workflow) => workflow is null ? TaskKey : $"{_lanes}{workflow}-task";

    /// <summary>The lane that a queue is of.</summary>
    /// <returns>Null where <see cref="Lane"/> gives no queue that name: it is of something else.</returns>
    public Lane? LaneOf(string queue)
    {
        var (stem, priority) = queue is [.., '.', 'p', >= '0' and <= '9' and var digit] ? (queue[..^3], digit - '0') : (queue, TaskDocument.DefaultPriority);
        var lane = new Lane(stem != Main && stem.StartsWith(_lanes, StringComparison.Ordinal) && stem.EndsWith(LaneSuffix, StringComparison.Ordinal) && stem.Length > _lanes.Length + LaneSuffix.Length
            ? stem[_lanes.Length..^LaneSuffix.Length]
            : null, priority);
        return (lane.Workflow is null || WorkflowName.IsValid(lane.Workflow)) && Lane(lane.Workflow, priority) == queue ? lane : null;
    }

    /// <summary>On the bus.</summary>
    public static string OutputKey(string task) => $"output.{task}";

    /// <summary>For the lane's tasks that a node had before: they are older than what waits in the lane.</summary>
    public static string Front(string lane) => lane + FrontSuffix;

    /// <summary>The lane's own queue, of that one or the one for its front.</summary>
    public static string LaneOfFront(string queue) => queue.EndsWith(FrontSuffix, StringComparison.Ordinal) ? queue[..^FrontSuffix.Length] : queue;

    private static string Short(TimeSpan delay) => delay switch
    {
        { Ticks: > 0 } when delay.Ticks % TimeSpan.TicksPerHour == 0 => string.Create(CultureInfo.InvariantCulture, $"{delay.Ticks / TimeSpan.TicksPerHour}h"),
        { Ticks: > 0 } when delay.Ticks % TimeSpan.TicksPerMinute == 0 => string.Create(CultureInfo.InvariantCulture, $"{delay.Ticks / TimeSpan.TicksPerMinute}m"),
        { Ticks: > 0 } when delay.Ticks % TimeSpan.TicksPerSecond == 0 => string.Create(CultureInfo.InvariantCulture, $"{delay.Ticks / TimeSpan.TicksPerSecond}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)delay.TotalMilliseconds}ms"),
    };
}
