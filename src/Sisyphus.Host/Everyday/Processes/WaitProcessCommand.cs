using System.Diagnostics;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Wait, "Process", DefaultParameterSetName = "Name")]
public sealed class WaitProcessCommand : ProcessCommand, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "Name")]
    [Alias("ProcessName")]
    public string[] Name { get; set; } = [];

    [Parameter(Position = 1)]
    [Alias("TimeoutSec")]
    [ValidateRange(0, int.MaxValue)]
    public int? Timeout { get; set; }

    protected override IReadOnlyList<string> Names => Name;

    protected override void StopProcessing() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();

    protected override void Process(IEnumerable<Process> processes)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        if (Timeout is { } seconds)
            limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        foreach (var process in processes)
        {
            try
            {
                process.WaitForExitAsync(limit.Token).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
            {
                WriteError(new ErrorRecord(
                    new TimeoutException($"The process \"{process.ProcessName} ({process.Id})\" has not been stopped in the specified time-out."), "ProcessNotTerminated", ErrorCategory.CloseError, process));
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
