namespace Sisyphus.Engine.Queues.Sqlite;

/// <summary>Wakes everybody who waits. Take <see cref="Next"/> before looking, so that nothing that happens after the look is missed.</summary>
internal sealed class Pulse
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Next => Volatile.Read(ref _next).Task;

    public void Beat() => Interlocked.Exchange(ref _next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
