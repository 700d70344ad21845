namespace Sisyphus.Engine.Tasks;

/// <summary>An attempt can't go on, with the one reason why. The message tells a user what happened and, where there is something, what to do.</summary>
public sealed class TaskFailureException : Exception
{
    private readonly bool? _isRetryable;
    private readonly bool? _isOfTheNode;

    public TaskFailureException(FailureReason reason, string message, Exception? cause = null)
        : base(message, cause) => Reason = reason;

    public FailureReason Reason { get; }

    /// <summary>The machine is the cause, with its container engine or its work directory, and not the task: a node puts the task back uncharged and pauses.</summary>
    public bool IsOfTheNode { get => _isOfTheNode ?? Reason == FailureReason.EngineUnavailable; init => _isOfTheNode = value; }

    /// <summary>Whether another attempt may end well; as the reason says unless whoever throws knows better.</summary>
    public bool IsRetryable { get => _isRetryable ?? Reason.IsRetryable(); init => _isRetryable = value; }

    /// <summary>How long the other side asks to be left alone before it is tried again; null where it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
