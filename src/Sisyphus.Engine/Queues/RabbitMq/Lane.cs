using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Queues.RabbitMq;

/// <summary>Where tasks of one workflow and one priority wait.</summary>
/// <param name="Workflow">Null for tasks without one.</param>
/// <param name="Priority">0 to 9.</param>
internal readonly record struct Lane(string? Workflow, int Priority)
{
    public static readonly Lane Main = new(null, TaskDocument.DefaultPriority);

    public static Lane Of(TaskDocument task) => new(task.Workflow, task.Priority);
}
