namespace Sisyphus.Engine.Tasks;

/// <summary>One unit of work: an image, the commands to run in one container of it, what to stage in and what to publish.</summary>
/// <remarks>Immutable and valid: the only ways to one are <see cref="TaskDocumentReader"/> and <c>with</c> on an existing one.
/// Two documents are equal when they say the same, whatever the order of their keys.
/// Lists are kept as arrays: PowerShell can't index the list types that the compiler makes for collection expressions.</remarks>
public sealed record TaskDocument : TaskPart
{
    public const int DefaultRetries = 3;
    public const int DefaultPriority = 4;
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromHours(1);

    /// <summary><c>[A-Za-z0-9._-]{1,128}</c>; null until the task is submitted or run.</summary>
    public string? Id { get; init; }
    public string? Name { get; init; }
    public string? Workflow { get; init; }
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    public required string Image { get; init; }
    /// <summary>At least one; run in order in one container until the first that fails.</summary>
    public required IReadOnlyList<TaskCommand> Commands { get; init => field = value.ToArray(); }
    public IReadOnlyList<TaskInput> Inputs { get; init => field = value.ToArray(); } = [];
    public IReadOnlyList<TaskOutput> Outputs { get; init => field = value.ToArray(); } = [];

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
    public string? WorkingDirectory { get; init; }
    /// <summary>As in <c>docker run --user</c>; null is the user that runs the node.</summary>
    public string? User { get; init; }
    public TaskNetwork Network { get; init; } = TaskNetwork.Bridge;

    /// <summary>Counts from the start of the first command to the end of the last.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;
    public TaskResources Resources { get; init; } = TaskResources.Unlimited;
    /// <summary>Extra attempts after a retryable failure, 0 to 100.</summary>
    public int Retries { get; init; } = DefaultRetries;
    /// <summary>Exit codes, 1 to 255, after which the task is tried again as after a failure of the infrastructure.</summary>
    public IReadOnlyList<int> RetryExitCodes { get; init => field = value.ToArray(); } = [];
    public TaskPublishing Publish { get; init; }
    /// <summary>0 (last) to 9 (first).</summary>
    public int Priority { get; init; } = DefaultPriority;

    public bool Equals(TaskDocument? other) =>
        base.Equals(other)
        && Id == other!.Id && Name == other.Name && Workflow == other.Workflow && ContentEquality.Of(Tags, other.Tags)
        && Image == other.Image && Commands.SequenceEqual(other.Commands)
        && Inputs.ToHashSet().SetEquals(other.Inputs) && Outputs.ToHashSet().SetEquals(other.Outputs)
        && ContentEquality.Of(Environment, other.Environment) && WorkingDirectory == other.WorkingDirectory
        && User == other.User && Network == other.Network && Timeout == other.Timeout && Resources.Equals(other.Resources)
        && Retries == other.Retries && RetryExitCodes.SequenceEqual(other.RetryExitCodes) && Publish == other.Publish && Priority == other.Priority;

    public override int GetHashCode() => HashCode.Combine(Id, Image, Commands.Count, Inputs.Count, Outputs.Count, Timeout, Priority);

    public override string ToString() => Name ?? Id ?? Image;
}
