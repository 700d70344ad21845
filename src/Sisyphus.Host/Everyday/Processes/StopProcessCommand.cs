using System.Diagnostics;
using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsLifecycle.Stop, "Process", DefaultParameterSetName = "Id", SupportsShouldProcess = true)]
public sealed class StopProcessCommand : ProcessCommand
{
    [Parameter(Mandatory = true, ParameterSetName = "Name")]
    [Alias("ProcessName")]
    public string[] Name { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override IReadOnlyList<string> Names => Name;

    protected override void Process(IEnumerable<Process> processes)
    {
        foreach (var process in processes.Where(p => ShouldProcess($"{p.ProcessName} ({p.Id})")))
        {
            try
            {
                process.Kill();
                if (PassThru)
                    WriteObject(process);
            }
            catch (Exception e) when (EverydayErrors.IsItemError(e))
            {
                WriteError(new ErrorRecord(e, "CouldNotStopProcess", ErrorCategory.CloseError, process));
            }
        }
    }
}
