using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>Runs documents on this machine, several at a time, and reports by events. Submit, read <see cref="Events"/>, complete, dispose.</summary>
public sealed class TaskRunner : IAsyncDisposable
{
    public TaskRunner(IContainerEngine engine, ObjectStores stores, TaskRunnerOptions options, TimeProvider? time = null) => throw new NotImplementedException();

    /// <summary>What happened, in order; bounded: a reader that stops reading makes the tasks wait. Ends after <see cref="Complete"/> when the last task has ended.</summary>
    public ChannelReader<TaskEvent> Events => throw new NotImplementedException();

    /// <summary>Takes the task when a slot is free; otherwise returns false at once, and an event will come before a slot is.</summary>
    public bool TrySubmit(TaskDocument task) => throw new NotImplementedException();

    /// <summary>No more tasks will come.</summary>
    public void Complete() => throw new NotImplementedException();

    /// <summary>What <see cref="TrySubmit"/> would make happen.</summary>
    public Task<TaskPlan> PlanAsync(TaskDocument task, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Cancels what still runs, waits until containers and workspaces are gone.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
