namespace Sisyphus.Engine.Tasks;

/// <summary>Why an attempt failed: one word, the same in errors, events, records and metrics (there in snake_case, see <see cref="FailureReasons"/>).</summary>
public enum FailureReason
{
    InvalidDocument,
    PolicyDenied,
    ImageNotFound,
    ImagePullDenied,
    ImagePullFailed,
    InputMissing,
    InputDenied,
    InputCorrupt,
    TransferFailed,
    ExecutorExit,
    OutOfMemory,
    Timeout,
    OutputMissing,
    OutputUnsafe,
    DiskFull,
    EngineUnavailable,
    NodeLost,
    Canceled,
    Internal,
}
