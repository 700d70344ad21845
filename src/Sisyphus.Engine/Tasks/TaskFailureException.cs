namespace Sisyphus.Engine.Tasks;

/// <summary>An attempt can't go on, with the one reason why. The message tells a user what happened and, where there is something, what to do.</summary>
public sealed class TaskFailureException : Exception
{
    private readonly bool? _isRetryable;

    public TaskFailureException(FailureReason reason, string message, Exception? cause = null)
        : base(message, cause) => Reason = reason;

    public FailureReason Reason { get; }

    /// <summary>Whether another attempt may end well; as the reason says unless whoever throws knows better.</summary>
    public bool IsRetryable { get => _isRetryable ?? Reason.IsRetryable(); init => _isRetryable = value; }
}
