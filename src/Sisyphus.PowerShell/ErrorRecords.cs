using System.Management.Automation;

using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell;

/// <summary>Every ErrorRecord of the module: ids are stable (<c>Sisyphus.</c> and a word), scripts may match on them.</summary>
internal static class ErrorRecords
{
    private const string Prefix = "Sisyphus.";

    /// <param name="source">The file or object that holds the document, to begin the message with; null where the message stands alone.</param>
    public static ErrorRecord ToErrorRecord(this InvalidTaskDocumentException exception, string? source, object? target)
    {
        var lines = exception.Errors.Select(error => source is null ? error.ToString() : error.Line > 0 ? source + error : $"{source}: {error}");
        return new ErrorRecord(exception, Prefix + nameof(FailureReason.InvalidDocument), ErrorCategory.InvalidData, target)
        {
            ErrorDetails = new ErrorDetails(string.Join(Environment.NewLine, lines)),
        };
    }

    public static ErrorRecord ToErrorRecord(this TaskFailureException exception, object? target) =>
        new(exception, Prefix + exception.Reason, Category(exception.Reason), target);

    /// <summary>For a task that ended badly; the target is the result.</summary>
    public static ErrorRecord ToErrorRecord(this TaskResult result)
    {
        var reason = result.Reason ?? FailureReason.Internal;
        return new ErrorRecord(new TaskFailureException(reason, $"Task {result.Name ?? result.Id}: {result.Message}"), Prefix + reason, Category(reason), result);
    }

    /// <summary>Nothing that was foreseen: a defect, of ours or of what we stand on.</summary>
    public static ErrorRecord Unexpected(Exception exception, object? target) =>
        new(exception, Prefix + nameof(FailureReason.Internal), ErrorCategory.NotSpecified, target);

    /// <summary>A setting that no store, engine or runner can use.</summary>
    public static ErrorRecord InvalidSetting(Exception exception, object? target) =>
        new(exception, Prefix + "InvalidSetting", ErrorCategory.InvalidArgument, target);

    public static ErrorRecord FileNotFound(string path) =>
        new(new FileNotFoundException($"There is no file {path}.", path), Prefix + "FileNotFound", ErrorCategory.ObjectNotFound, path);

    public static ErrorRecord FileExists(string path) =>
        new(new IOException($"The file {path} exists already."), Prefix + "FileExists", ErrorCategory.ResourceExists, path);

    public static ErrorRecord FileNotAccessible(Exception exception, string path) =>
        new(exception, Prefix + "FileNotAccessible", exception is UnauthorizedAccessException ? ErrorCategory.PermissionDenied : ErrorCategory.ReadError, path);

    public static ErrorRecord FileNotWritten(Exception exception, string path) =>
        new(exception, Prefix + "FileNotWritten", exception is UnauthorizedAccessException ? ErrorCategory.PermissionDenied : ErrorCategory.WriteError, path);

    public static ErrorRecord NotAFileSystemPath(string path, string provider) =>
        new(new ArgumentException($"{path} is a path of the provider {provider}; only file system paths are possible here."), Prefix + "NotAFileSystemPath", ErrorCategory.InvalidArgument, path);

    public static ErrorRecord InvalidRemotePath(Exception exception, string path) =>
        new(exception, Prefix + "InvalidRemotePath", ErrorCategory.InvalidArgument, path);

    public static ErrorRecord ObjectNotFound(string path) =>
        new(new ItemNotFoundException($"There is no object {path}."), Prefix + "ObjectNotFound", ErrorCategory.ObjectNotFound, path);

    /// <summary>What a store says of an object that a cmdlet, not a task, asked for: there it is no input.</summary>
    public static ErrorRecord ForObject(this TaskFailureException exception, object? target) =>
        exception.Reason == FailureReason.InputMissing
            ? new ErrorRecord(exception, Prefix + "ObjectNotFound", ErrorCategory.ObjectNotFound, target)
            : exception.ToErrorRecord(target);

    public static ErrorRecord InvalidCopy(string message, object? target) =>
        new(new ArgumentException(message), Prefix + "InvalidCopy", ErrorCategory.InvalidArgument, target);

    public static ErrorRecord InvalidRemoval(string message, object? target) =>
        new(new ArgumentException(message), Prefix + "InvalidRemoval", ErrorCategory.InvalidArgument, target);

    public static ErrorRecord ToErrorRecord(this QueueException exception) =>
        new(exception, $"{Prefix}Queue{exception.Failure}", Category(exception.Failure), targetObject: null);

    public static ErrorRecord NotSent(SentTask sent) => sent.Outcome.Result switch
    {
        SendResult.AlreadySent => new ErrorRecord(new InvalidOperationException($"Task {sent.Outcome.TaskId} was sent before. {sent.Outcome.Message}".TrimEnd()), Prefix + "TaskExists", ErrorCategory.ResourceExists, sent.Task),
        SendResult.Unknown => new ErrorRecord(new TimeoutException($"Nobody can say whether task {sent.Outcome.TaskId} was sent: {sent.Outcome.Message} Sending it again is safe."), Prefix + "TaskUnconfirmed", ErrorCategory.OperationTimeout, sent.Task),
        _ => new ErrorRecord(new InvalidOperationException($"The queue refuses task {sent.Outcome.TaskId}: {sent.Outcome.Message}"), Prefix + "TaskRefused", ErrorCategory.InvalidData, sent.Task),
    };

    /// <param name="bucket">Where its record was looked for; null for the queue.</param>
    public static ErrorRecord TaskNotFound(string id, RemotePath? bucket = null) =>
        new(new ItemNotFoundException(bucket is null ? $"The queue knows no task {id}." : $"No attempt of a task {id} has left a record in {bucket}"), Prefix + "TaskNotFound", ErrorCategory.ObjectNotFound, id);

    /// <summary>Too many tasks at a time.</summary>
    public static ErrorRecord OutputNotReadable(ArgumentException exception) =>
        new(exception, Prefix + "OutputNotReadable", ErrorCategory.InvalidArgument, targetObject: null);

    public static ErrorRecord TaskEnded(CancelOutcome outcome) =>
        new(new InvalidOperationException($"Task {outcome.TaskId} has ended already ({outcome.State})."), Prefix + "TaskEnded", ErrorCategory.InvalidOperation, outcome.TaskId);

    public static ErrorRecord NoDeadLetter(string id) =>
        new(new ItemNotFoundException($"There is no dead letter {id}."), Prefix + "DeadLetterNotFound", ErrorCategory.ObjectNotFound, id);

    public static ErrorRecord NodeNotFound(string name) =>
        new(new ItemNotFoundException($"The queue knows no node {name}."), Prefix + "NodeNotFound", ErrorCategory.ObjectNotFound, name);

    public static ErrorRecord NodeNotThere(string name) =>
        new(new ItemNotFoundException($"There is no node {name} on the queue, or it has ended."), Prefix + "NodeNotFound", ErrorCategory.ObjectNotFound, name);

    public static ErrorRecord WaitTimeout(string id, string timeout) =>
        new(new TimeoutException($"Task {id} has not ended within {timeout}; it goes on."), Prefix + "WaitTimeout", ErrorCategory.OperationTimeout, id);

    private static ErrorCategory Category(QueueFailure failure) => failure switch
    {
        QueueFailure.Denied => ErrorCategory.PermissionDenied,
        QueueFailure.NotAQueue or QueueFailure.Corrupt => ErrorCategory.InvalidData,
        QueueFailure.NewerVersion => ErrorCategory.NotImplemented,
        QueueFailure.NodeNameTaken => ErrorCategory.ResourceExists,
        _ => ErrorCategory.ResourceUnavailable,
    };

    private static ErrorCategory Category(FailureReason reason) => reason switch
    {
        FailureReason.InvalidDocument => ErrorCategory.InvalidData,
        FailureReason.PolicyDenied => ErrorCategory.PermissionDenied,
        FailureReason.ImageNotFound => ErrorCategory.ObjectNotFound,
        FailureReason.ImagePullDenied => ErrorCategory.PermissionDenied,
        FailureReason.ImagePullFailed => ErrorCategory.ConnectionError,
        FailureReason.InputMissing => ErrorCategory.ObjectNotFound,
        FailureReason.InputDenied => ErrorCategory.PermissionDenied,
        FailureReason.InputCorrupt => ErrorCategory.InvalidData,
        FailureReason.TransferFailed => ErrorCategory.ConnectionError,
        FailureReason.ExecutorExit => ErrorCategory.InvalidResult,
        FailureReason.OutOfMemory => ErrorCategory.LimitsExceeded,
        FailureReason.Timeout => ErrorCategory.OperationTimeout,
        FailureReason.OutputMissing => ErrorCategory.ObjectNotFound,
        FailureReason.OutputUnsafe => ErrorCategory.SecurityError,
        FailureReason.DiskFull => ErrorCategory.ResourceUnavailable,
        FailureReason.EngineUnavailable => ErrorCategory.ResourceUnavailable,
        FailureReason.NodeLost => ErrorCategory.ConnectionError,
        FailureReason.Canceled => ErrorCategory.OperationStopped,
        _ => ErrorCategory.NotSpecified,
    };
}
