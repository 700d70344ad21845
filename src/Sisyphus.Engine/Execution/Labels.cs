namespace Sisyphus.Engine.Execution;

/// <summary>What marks our containers, so that what a killed process leaves is found again.</summary>
internal static class Labels
{
    public const string Node = "sisyphus.node";
    public const string Task = "sisyphus.task";
    /// <summary>Told from another attempt of the same task in the same process.</summary>
    public const string Attempt = "sisyphus.attempt";
    /// <summary>The process's <see cref="RunDirectory"/>: unlike a node's name it is never used twice.</summary>
    public const string Run = "sisyphus.run";

    public static IReadOnlyDictionary<string, string> OfRun(string runId) => new Dictionary<string, string> { [Run] = runId };

    public static IReadOnlyDictionary<string, string> OfSlot(string node, string runId) =>
        new Dictionary<string, string> { [Node] = node, [Run] = runId };

    public static IReadOnlyDictionary<string, string> OfTask(string node, string runId, string taskId, string attemptId) =>
        new Dictionary<string, string> { [Node] = node, [Run] = runId, [Task] = taskId, [Attempt] = attemptId };
}
