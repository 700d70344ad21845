using System.Management.Automation;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets share: one token that a stop cancels, and waiting for the engine on the pipeline thread.</summary>
public abstract class SisyphusCommand : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    protected CancellationToken StopToken => _stop.Token;

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
