using System.Diagnostics;
using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Process", DefaultParameterSetName = "Name")]
[OutputType(typeof(Process))]
public sealed class GetProcessCommand : ProcessCommand
{
    [Parameter(Position = 0, ParameterSetName = "Name", ValueFromPipelineByPropertyName = true)]
    [Alias("ProcessName")]
    public string[] Name { get; set; } = ["*"];

    protected override IReadOnlyList<string> Names => Name;

    protected override void Process(IEnumerable<Process> processes) =>
        WriteObject(processes.OrderBy(p => p.ProcessName, StringComparer.OrdinalIgnoreCase), enumerateCollection: true);
}
