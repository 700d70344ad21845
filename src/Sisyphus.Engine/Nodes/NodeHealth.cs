using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Whether the node itself is able to run tasks. What fails around it is no task's fault: the node pauses, says why, and looks again.</summary>
internal sealed class NodeHealth(IContainerEngine engine, string workDirectory, TimeProvider time, Heart heart)
{
    /// <summary>Less room than this is none.</summary>
    private const int ProbeBytes = 1024 * 1024;

    private volatile string? _trouble;
    private int _failures;

    public bool IsTroubled => _trouble is not null;

    /// <summary>Whether a failure is the node's rather than the task's.</summary>
    public static bool IsOfTheNode(TaskFailureException failure) =>
        failure.IsRetryable && failure.Reason is FailureReason.EngineUnavailable or FailureReason.DiskFull;

    public void Report(TaskFailureException failure)
    {
        Interlocked.Increment(ref _failures);
        _trouble = failure.Message;
    }

    public void Succeeded() => Interlocked.Exchange(ref _failures, 0);

    /// <summary>Waits paused until engine and work directory are well; failures that follow each other lengthen the wait.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        while (_trouble is { } trouble && !cancellationToken.IsCancellationRequested)
        {
            await heart.SetAsync(NodeState.Paused, trouble).ConfigureAwait(false);
            await PauseAsync(cancellationToken).ConfigureAwait(false);
            _trouble = await ProbeAsync(cancellationToken).ConfigureAwait(false);
            if (_trouble is null)
                await heart.SetAsync(NodeState.Idle, "").ConfigureAwait(false);
            else
                Interlocked.Increment(ref _failures);
        }
    }

    /// <summary>What the options and the engine leave to tasks; waits for an engine that does not answer.</summary>
    /// <returns>Null when the node is to stop before that.</returns>
    public async Task<Capacity?> FindCapacityAsync(NodeOptions options, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var info = await engine.GetInfoAsync(cancellationToken).ConfigureAwait(false);
                if (IsTroubled)
                    await heart.SetAsync(NodeState.Idle, "").ConfigureAwait(false);
                _trouble = null;
                return new Capacity(options.Cpus ?? info.Cpus, options.Memory ?? info.Memory);
            }
            catch (TaskFailureException failure)
            {
                Report(failure);
                await heart.SetAsync(NodeState.Paused, failure.Message).ConfigureAwait(false);
                await PauseAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }
        }
        return null;
    }

    private async Task PauseAsync(CancellationToken cancellationToken) =>
        await Task.Delay(RetryBackoff.After(Math.Max(1, Volatile.Read(ref _failures)), Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <returns>What is wrong; null when all is well.</returns>
    private async Task<string?> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await engine.GetInfoAsync(cancellationToken).ConfigureAwait(false);
            var path = Path.Combine(workDirectory, $"probe-{Guid.NewGuid():N}");
            try
            {
                await File.WriteAllBytesAsync(path, new byte[ProbeBytes], cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                File.Delete(path);
            }
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return _trouble;
        }
        catch (TaskFailureException failure)
        {
            return failure.Message;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return LocalFailure.From(error).Message;
        }
    }
}
