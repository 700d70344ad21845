using System.Collections.Concurrent;

using Sisyphus.Engine.Containers;
using Sisyphus.Engine.Execution;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.Engine.Nodes;

/// <summary>Whether the node itself is able to run tasks. What fails around it is no task's fault: the node pauses, says why, and looks again.</summary>
/// <param name="wake">Called when nothing may be taken any more.</param>
internal sealed class NodeHealth(IContainerEngine engine, string workDirectory, TimeProvider time, Standing standing, Action wake)
{
    /// <summary>Less room than this is none.</summary>
    private const int ProbeBytes = 1024 * 1024;
    /// <summary>So often a task may fail with a trouble that is gone when one looks; after that it is what makes the trouble.</summary>
    private const int MaxBenefitOfDoubt = 3;
    private const int MaxSuspects = 1000;
    private static readonly TimeSpan s_engineTimeout = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, int> _suspects = [];
    private volatile string? _trouble;
    private int _failures;

    public bool IsTroubled => _trouble is not null;

    /// <summary>From now on nothing is taken, until the node is well.</summary>
    public void Report(TaskFailureException failure)
    {
        Interlocked.Increment(ref _failures);
        _trouble = failure.Message;
        standing.SetTrouble(failure.Message);
        wake();
    }

    /// <summary>A failure of the node in the middle of a task.</summary>
    /// <returns>Whether the task is innocent. One that needs more disk than there is, or that upsets the engine, would else go round for ever.</returns>
    public async Task<bool> ReportAsync(string taskId, TaskFailureException failure, CancellationToken cancellationToken)
    {
        Report(failure);
        if (await ProbeAsync(cancellationToken).ConfigureAwait(false) is not null)
            return true;
        if (_suspects.Count >= MaxSuspects)
            _suspects.Clear();
        return _suspects.AddOrUpdate(taskId, 1, (_, times) => times + 1) <= MaxBenefitOfDoubt;
    }

    public void Succeeded(string taskId)
    {
        Interlocked.Exchange(ref _failures, 0);
        _suspects.TryRemove(taskId, out _);
    }

    /// <summary>Waits paused until engine and work directory are well; failures that follow each other lengthen the wait.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        while (_trouble is not null)
        {
            await Task.Delay(RetryBackoff.After(Math.Max(1, Volatile.Read(ref _failures)), Random.Shared.NextDouble()), time, cancellationToken).ConfigureAwait(false);
            _trouble = await ProbeAsync(cancellationToken).ConfigureAwait(false);
            standing.SetTrouble(_trouble);
            if (_trouble is not null)
                Interlocked.Increment(ref _failures);
        }
    }

    /// <exception cref="TaskFailureException"><see cref="FailureReason.EngineUnavailable"/>, also when it takes too long.</exception>
    public async Task<EngineInfo> AskEngineAsync(CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(s_engineTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            return await engine.GetInfoAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException tooLong) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TaskFailureException(FailureReason.EngineUnavailable, $"The container engine at {engine.Endpoint} did not answer within {s_engineTimeout.TotalSeconds:0} s.", tooLong);
        }
    }

    /// <returns>What is wrong; null when all is well.</returns>
    private async Task<string?> ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await AskEngineAsync(cancellationToken).ConfigureAwait(false);
            var file = new FileStream(
                Path.Combine(workDirectory, $"probe-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous | FileOptions.DeleteOnClose);
            await using (file.ConfigureAwait(false))
            {
                await file.WriteAsync(new byte[ProbeBytes], cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }
            return null;
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
