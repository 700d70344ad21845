using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>What an I/O error in the workspace means for the attempt.</summary>
internal static class LocalFailure
{
    public static TaskFailureException From(Exception error) => error is IOException io && StoreFailures.IsDiskFull(io)
        ? new TaskFailureException(FailureReason.DiskFull, $"The work directory has no space left: {error.Message}", error) { IsOfTheNode = true }
        : new TaskFailureException(FailureReason.Internal, $"The work directory can't be used: {error.Message}", error) { IsOfTheNode = true };
}
