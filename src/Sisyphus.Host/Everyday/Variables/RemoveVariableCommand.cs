using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Remove, "Variable", SupportsShouldProcess = true)]
public sealed class RemoveVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    public string[] Name { get; set; } = [];

    [Parameter]
    public string? Scope { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name.Where(n => ShouldProcess($"Name: {n}", "Remove variable")))
        {
            var qualified = VariableScope.Qualify(name, Scope);
            if (SessionState.PSVariable.Get(qualified) is null)
                WriteError(new ErrorRecord(new ItemNotFoundException($"Cannot find a variable with the name '{name}'."), "VariableNotFound", ErrorCategory.ObjectNotFound, name));
            else
                SessionState.PSVariable.Remove(qualified);
        }
    }
}
