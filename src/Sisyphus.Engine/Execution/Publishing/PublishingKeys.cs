using System.Globalization;
using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The engine's own keys of a task in a bucket.</summary>
internal static class PublishingKeys
{
    private const string OutputsFolder = "outputs";

    public static string Decision(string taskId) => $"{ReservedKeys.Prefix}{taskId}/published.json";

    /// <summary>In every bucket of the task but the one that holds the decision: where that is.</summary>
    public static string Home(string taskId) => $"{ReservedKeys.Prefix}{taskId}/home";

    public static string Record(string taskId, string attemptId) => $"{ReservedKeys.Prefix}{taskId}/{attemptId}/record.json";

    public static string StagedPrefix(string taskId, string attemptId) => $"{ReservedKeys.Prefix}{taskId}/{attemptId}/{OutputsFolder}/";

    // A number, not the final key: that may be as long as a key can be.
    public static string Staged(string taskId, string attemptId, int index) =>
        StagedPrefix(taskId, attemptId) + index.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>Whose staged object it is, or null for any other key.</summary>
    public static (string TaskId, string AttemptId)? OwnerOfStaged(string key) =>
        key.Split('/') is [_, var task, var attempt, OutputsFolder, _] && key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal) ? (task, attempt) : null;
}
