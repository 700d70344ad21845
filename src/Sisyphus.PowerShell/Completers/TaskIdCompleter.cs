using Sisyphus.Engine.Queues;

namespace Sisyphus.PowerShell.Completers;

/// <summary>Ids of the tasks that the queue knows, the latest of them.</summary>
public sealed class TaskIdCompleter : QueueCompleter
{
    private const int Most = 200;

    private protected override async Task<IReadOnlyList<(string, string)>> FindAsync(ITaskQueue queue, CancellationToken cancellationToken)
    {
        List<(string, string)> found = [];
        await foreach (var task in queue.GetTasksAsync(new TaskQuery { Last = Most }, cancellationToken).ConfigureAwait(false))
            found.Add((task.Id, $"{task.Name} {task.State}"));
        return found;
    }
}
