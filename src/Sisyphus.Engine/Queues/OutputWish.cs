using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues;

/// <summary>That somebody reads what tasks write. It has to be said again and again, so that a reader who is gone costs nothing.</summary>
internal static class OutputWish
{
    public const int MostTasks = 100;
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(20);

    /// <exception cref="ArgumentException">Names what is not allowed.</exception>
    public static string[] Check(IReadOnlyList<string> taskIds)
    {
        if (taskIds.Count is < 1 or > MostTasks)
            throw new ArgumentException($"{taskIds.Count} tasks to read the output of; allowed: 1 to {MostTasks}.", nameof(taskIds));
        if (taskIds.FirstOrDefault(id => !TaskId.IsValid(id)) is { } bad)
            throw new ArgumentException($"'{bad}' is no id of a task; allowed: 1 to 128 letters, digits, dots, hyphens and underscores.", nameof(taskIds));
        return [.. taskIds.Distinct()];
    }
}
