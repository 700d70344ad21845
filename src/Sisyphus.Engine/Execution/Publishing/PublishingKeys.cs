using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using Sisyphus.Engine.Storage;

namespace Sisyphus.Engine.Execution.Publishing;

/// <summary>The engine's own keys of a task in a bucket.</summary>
internal static partial class PublishingKeys
{
    private const string OutputsFolder = "outputs";
    private const string LogsFolder = "logs";
    private const string HomeName = "home";

    public static bool IsId(string id) => Id().IsMatch(id);

    public static string Decision(string taskId) => $"{ReservedKeys.Prefix}{taskId}/published.json";

    /// <summary>Of an attempt that stages in another bucket than the one that holds the decision: where that is.</summary>
    public static string Home(string taskId, string attemptId) => AttemptPrefix(taskId, attemptId) + HomeName;

    public static string Record(string taskId, string attemptId) => AttemptPrefix(taskId, attemptId) + "record.json";

    public static bool IsDecision(string key) => key.EndsWith("/published.json", StringComparison.Ordinal);

    /// <summary>Whether the object is a decision, which carries a record, or the record of an attempt that failed.</summary>
    public static bool IsRecord(string key, [NotNullWhen(true)] out string? taskId)
    {
        taskId = key.Split('/') switch
        {
            [".sisyphus", var task, "published.json"] => task,
            [".sisyphus", var task, _, "record.json"] => task,
            _ => null,
        };
        return taskId is not null;
    }

    public static string AttemptPrefix(string taskId, string attemptId) => $"{ReservedKeys.Prefix}{taskId}/{attemptId}/";

    public static string OutputsPrefix(string taskId, string attemptId) => $"{AttemptPrefix(taskId, attemptId)}{OutputsFolder}/";

    /// <summary>A failed attempt's log has a place of its own: the attempt may have decided all the same, and then its outputs are to stay.</summary>
    public static string LogsPrefix(string taskId, string attemptId) => $"{AttemptPrefix(taskId, attemptId)}{LogsFolder}/";

    // A number, not the final key: that may be as long as a key can be.
    public static string Staged(string prefix, int index) => prefix + index.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>Whose staged object it is, or null for any other key.</summary>
    public static (string TaskId, string AttemptId)? OwnerOfStaged(string key) =>
        key.Split('/') is [_, var task, var attempt, OutputsFolder or LogsFolder, not ("" or "." or "..")] && key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal) ? (task, attempt) : null;

    /// <summary>Whose pointer to the decision it is, or null for any other key.</summary>
    public static (string TaskId, string AttemptId)? OwnerOfHome(string key) =>
        key.Split('/') is [_, var task, var attempt, HomeName] && key.StartsWith(ReservedKeys.Prefix, StringComparison.Ordinal) ? (task, attempt) : null;

    [GeneratedRegex(@"\A(?!published\.json\z)[A-Za-z0-9._-]{1,128}\z")]
    private static partial Regex Id();
}
