using System.Text.Json;

namespace Sisyphus.Engine.Tasks;

/// <summary>What follows from a <see cref="FailureReason"/>.</summary>
public static class FailureReasons
{
    /// <summary>The word that events, records and metrics carry, for example <c>output_missing</c>.</summary>
    public static string ToWord(this FailureReason reason) => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString());

    /// <summary>Another attempt, on this node or another, may end well.</summary>
    public static bool IsRetryable(this FailureReason reason) => reason is
        FailureReason.ImagePullFailed or FailureReason.InputCorrupt or FailureReason.TransferFailed or
        FailureReason.DiskFull or FailureReason.EngineUnavailable or FailureReason.NodeLost;

    /// <summary>The state in which a task that failed for this reason ends.</summary>
    public static TaskState ToState(this FailureReason reason) => reason switch
    {
        FailureReason.ExecutorExit or FailureReason.OutOfMemory or FailureReason.Timeout or
            FailureReason.OutputMissing or FailureReason.OutputUnsafe => TaskState.ExecutorError,
        FailureReason.Canceled => TaskState.Canceled,
        _ => TaskState.SystemError,
    };

    /// <summary>Nothing more happens to a task in this state, unless somebody resumes it.</summary>
    public static bool IsEnd(this TaskState state) => state is TaskState.Complete or TaskState.ExecutorError or TaskState.SystemError or TaskState.Canceled;
}
