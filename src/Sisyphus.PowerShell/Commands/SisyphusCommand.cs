using System.Management.Automation;

using Sisyphus.Engine.Queues;
using Sisyphus.Engine.Tasks;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets share: one token that a stop cancels, and waiting for the engine on the pipeline thread.</summary>
public abstract class SisyphusCommand : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    protected CancellationToken StopToken => _stop.Token;

    /// <summary>How often <see cref="Enumerate"/> ended in an error: that nothing came then says nothing of what is there.</summary>
    private protected int Failures { get; private set; }

    protected override void StopProcessing() => _stop.Cancel();

    /// <summary>Waits for the engine; a stop surfaces as the exception that PowerShell expects.</summary>
    protected T Wait<T>(Task<T> task)
    {
        ArgumentNullException.ThrowIfNull(task);
        try
        {
            return task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <summary>As <see cref="Wait"/>, and any failure ends the command: for what everything that follows needs.</summary>
    protected T WaitOrEnd<T>(Task<T> task, object? target = null)
    {
        try
        {
            return Wait(task);
        }
        catch (TaskFailureException e)
        {
            ThrowTerminatingError(e.ToErrorRecord(target));
            throw;
        }
        catch (QueueException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
            throw;
        }
        // Whatever else the engine throws gets an id too.
        catch (Exception e) when (e is not PipelineStoppedException)
        {
            ThrowTerminatingError(ErrorRecords.Unexpected(e, target));
            throw;
        }
    }

    /// <summary>Enumerates what a store says on the pipeline thread; its failure is a non-terminating error and the end of the enumeration.</summary>
    /// <remarks>Only the waiting stands in a try block: what the caller writes between two elements may end the pipeline by an exception, which is not ours to catch.</remarks>
    private protected IEnumerable<T> Enumerate<T>(IAsyncEnumerable<T> source, object? target)
    {
        var enumerator = source.GetAsyncEnumerator(StopToken);
        try
        {
            while (true)
            {
                try
                {
                    if (!Wait(enumerator.MoveNextAsync().AsTask()))
                        yield break;
                }
                catch (TaskFailureException e)
                {
                    Failures++;
                    WriteError(e.ForObject(target));
                    yield break;
                }
                yield return enumerator.Current;
            }
        }
        finally
        {
            enumerator.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _stop.Dispose();
    }
}
