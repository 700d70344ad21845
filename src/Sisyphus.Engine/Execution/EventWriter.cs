using System.Threading.Channels;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Storage;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Execution;

/// <summary>One task's end of the event channel. What must not be lost waits for room; progress is dropped when there is none.</summary>
internal sealed class EventWriter(ChannelWriter<TaskEvent> channel, string taskId, TimeProvider time)
{
    public ValueTask StateAsync(TaskState state, int attempt, CancellationToken cancellationToken) =>
        channel.WriteAsync(new TaskStateChanged(taskId, Now, state, attempt), cancellationToken);

    public ValueTask CommandAsync(int index, int count, TaskCommand command, CancellationToken cancellationToken) =>
        channel.WriteAsync(new CommandStarted(taskId, Now, index, count, command), cancellationToken);

    public ValueTask LineAsync(OutputStream stream, string line, CancellationToken cancellationToken) =>
        channel.WriteAsync(new OutputLineReceived(taskId, Now, stream, line), cancellationToken);

    public ValueTask FailedAsync(int attempt, TaskFailureException failure, TimeSpan? retryAfter, CancellationToken cancellationToken) =>
        channel.WriteAsync(new AttemptFailed(taskId, Now, attempt, failure.Reason, failure.Message, retryAfter), cancellationToken);

    public void Warn(string message) => channel.TryWrite(new TaskWarned(taskId, Now, message));

    public IProgress<PullProgress> Pull(string image) =>
        new Dropping<PullProgress>(channel, progress => new ImagePullProgressed(taskId, Now, image, progress));

    public IProgress<TransferProgress> Staging() =>
        new Dropping<TransferProgress>(channel, progress => new StagingProgressed(taskId, Now, progress));

    public IProgress<TransferProgress> Publishing() =>
        new Dropping<TransferProgress>(channel, progress => new PublishingProgressed(taskId, Now, progress));

    private DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Unlike <see cref="Progress{T}"/> it reports on the caller's thread, so events stay in order.</summary>
    private sealed class Dropping<T>(ChannelWriter<TaskEvent> channel, Func<T, TaskEvent> toEvent) : IProgress<T>
    {
        public void Report(T value) => channel.TryWrite(toEvent(value));
    }
}
