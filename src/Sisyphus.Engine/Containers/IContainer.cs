using System.Formats.Tar;

using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Containers;

/// <summary>One container of a task. Disposing removes it whatever its state, with a time limit of its own.</summary>
public interface IContainer : IAsyncDisposable
{
    string Id { get; }

    /// <summary>What is at an absolute path, symbolic links not followed; null when there is nothing.</summary>
    Task<ContainerPathInfo?> StatAsync(string path, CancellationToken cancellationToken);

    /// <summary>Unpacks entries below <c>/</c>, before the start or while it runs. Names are relative to <c>/</c>; existing directories take the entry's owner and mode.</summary>
    Task WriteAsync(Func<TarWriter, CancellationToken, Task> write, CancellationToken cancellationToken);

    /// <summary>The tree at an absolute path as a tar stream (entry names start with the path's last segment), running or not; null when there is nothing at it.</summary>
    Task<Stream?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>Runs one command to its end: the spec's own, or (when that has none) any number one after the other. Returns when the process has ended and both streams are drained.</summary>
    /// <param name="standardInput">Fed to the process and closed; null for none.</param>
    /// <param name="standardOutput">Receives the bytes as they come; a slow one slows the process.</param>
    /// <exception cref="TaskFailureException"><see cref="FailureReason.ExecutorExit"/> when the program can't be started (not in the image, not executable, user or directory unknown); <see cref="FailureReason.EngineUnavailable"/>; <see cref="FailureReason.Internal"/> when the container is removed under us.</exception>
    /// <remarks>Cancelling the token abandons the command; the caller disposes the container. To end it in good order, <see cref="StopAsync"/>.</remarks>
    Task<CommandExit> RunAsync(TaskCommand command, Stream? standardInput, Stream standardOutput, Stream standardError, CancellationToken cancellationToken);

    /// <summary>Ends everything in the container: SIGTERM to every process, after <paramref name="grace"/> SIGKILL. Files stay readable.</summary>
    Task StopAsync(TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Bytes that the container's own layer takes, which costs the engine a walk over the files there; null where it does not say.</summary>
    Task<long?> GetLayerSizeAsync(CancellationToken cancellationToken);

    /// <summary>Highest memory use seen, in bytes, or null where it was not seen (too short a run, or the engine does not say).</summary>
    long? PeakMemory { get; }
}
