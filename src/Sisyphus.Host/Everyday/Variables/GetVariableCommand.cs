using System.Management.Automation;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Get, "Variable")]
public sealed class GetVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    public string[] Name { get; set; } = ["*"];

    [Parameter]
    public SwitchParameter ValueOnly { get; set; }

    [Parameter]
    public string? Scope { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            if (WildcardPattern.ContainsWildcardCharacters(name))
                InvokeProvider.Item.Get($"Variable:{name}").Select(v => v.BaseObject).OfType<PSVariable>().ToList().ForEach(Write);
            else if (SessionState.PSVariable.Get(VariableScope.Qualify(name, Scope)) is { } variable)
                Write(variable);
            else
                WriteError(new ErrorRecord(new ItemNotFoundException($"Cannot find a variable with the name '{name}'."), "VariableNotFound", ErrorCategory.ObjectNotFound, name));
        }
    }

    private void Write(PSVariable variable) => WriteObject(ValueOnly ? variable.Value : variable);
}
