using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Storage;

/// <summary>The failures that a store reports, made in one place so that the same trouble always has the same reason.</summary>
internal static class StoreFailures
{
    private const int NoSpaceErrno = 28;
    private const int QuotaErrnoLinux = 122;
    private const int QuotaErrnoMac = 69;
    private const int DiskFullWindows = unchecked((int)0x80070070);
    private const int HandleDiskFullWindows = unchecked((int)0x80070027);

    public static TaskFailureException Missing(string path) =>
        new(FailureReason.InputMissing, $"{path} does not exist.");

    public static TaskFailureException MissingBucket(string bucket, string store) =>
        new(FailureReason.InputMissing, $"There is no bucket '{bucket}' in {store}.");

    public static TaskFailureException Changed(string path) =>
        new(FailureReason.InputCorrupt, $"{path} was changed while it was read.");

    /// <summary>A local I/O error on the way of <paramref name="action"/> ("read bucket:key").</summary>
    public static TaskFailureException FromIO(Exception cause, string action) => cause switch
    {
        UnauthorizedAccessException => new(FailureReason.InputDenied, $"Can't {action}: permission denied ({cause.Message})", cause),
        IOException io when IsDiskFull(io) => new(FailureReason.DiskFull, $"Can't {action}: no space left ({cause.Message})", cause),
        _ => new(FailureReason.TransferFailed, $"Can't {action}: {cause.Message}", cause),
    };

    /// <summary>As <see cref="FromIO"/> for a file of this machine: no permission there is not the object's.</summary>
    public static TaskFailureException FromLocalIO(Exception cause, string action) => cause is IOException io && IsDiskFull(io)
        ? new(FailureReason.DiskFull, $"Can't {action}: no space left ({cause.Message})", cause) { IsOfTheNode = true }
        : new(FailureReason.TransferFailed, $"Can't {action}: {cause.Message}", cause);

    public static bool IsIO(Exception exception) => exception is IOException or UnauthorizedAccessException;

    // On Unix the runtime keeps the errno in HResult.
    public static bool IsDiskFull(IOException exception) => OperatingSystem.IsWindows()
        ? exception.HResult is DiskFullWindows or HandleDiskFullWindows
        : exception.HResult == NoSpaceErrno || exception.HResult == (OperatingSystem.IsMacOS() ? QuotaErrnoMac : QuotaErrnoLinux);
}
