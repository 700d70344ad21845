using System.Management.Automation;

using Sisyphus.Engine.Storage.Transfers;
using Sisyphus.Engine.Tasks;
using Sisyphus.PowerShell.Running;

namespace Sisyphus.PowerShell.Commands;

/// <summary>What the cmdlets share that do something with many objects: batches, one progress bar, an error for each that fails.</summary>
public abstract class ObjectTransferCommand : ObjectCommand
{
    // Bounds what is held of a listing of millions of objects.
    private protected const int BatchSize = 1000;

    private TransferProgressBar? _progress;
    // Opened with the first of them: a cmdlet that has nothing to do opens no stores.
    private TransferBatch? _batch;

    /// <summary>As the progress bar names it.</summary>
    private protected abstract string Activity { get; }

    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _progress = new TransferProgressBar(Activity, WriteProgress, TimeProvider.System);
    }

    protected override void EndProcessing() => _progress!.Completed();

    /// <param name="path">Target of an error that is of none of them.</param>
    private protected void Run(IReadOnlyCollection<ObjectTransfer> transfers, string path)
    {
        foreach (var happened in Enumerate((_batch ??= new TransferBatch(Stores.Scheduler)).RunAsync(transfers, StopToken), path))
        {
            switch (happened)
            {
                case TransferProgressed progressed:
                    _progress!.Show(progressed.Progress);
                    break;
                case TransferFailed { Error: TaskFailureException e, Transfer: var transfer }:
                    WriteError(e.ForObject(transfer.Source));
                    break;
                case TransferFailed { Error: var e, Transfer: var transfer }:
                    WriteError(ToErrorRecord(e, transfer));
                    break;
                case TransferCompleted completed:
                    WriteCompleted(completed);
                    break;
            }
        }
    }

    /// <summary>An error that is no store's.</summary>
    private protected virtual ErrorRecord ToErrorRecord(Exception error, ObjectTransfer transfer) => ErrorRecords.Unexpected(error, transfer.Source);

    private protected virtual void WriteCompleted(TransferCompleted completed)
    {
    }
}
