using System.Management.Automation;
using System.Reflection;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Add, "Type", DefaultParameterSetName = "FromSource")]
public sealed class AddTypeCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "FromSource")]
    public string? TypeDefinition { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "FromPath")]
    public string[] Path { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "FromLiteralPath")]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter(Mandatory = true, ParameterSetName = "FromAssemblyName")]
    [Alias("AN")]
    public string[] AssemblyName { get; set; } = [];

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void EndProcessing()
    {
        if (TypeDefinition is not null)
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSNotSupportedException("Add-Type of this host loads assemblies and has no compiler: run the script with pwsh."), "CompilerNotAvailable", ErrorCategory.NotImplemented, null));
        }

        var files = LiteralPath.Select(WildcardPattern.Escape).Concat(Path).SelectMany(p => SessionState.Path.GetResolvedProviderPathFromPSPath(p, out _));
        var assemblies = files.Select(Assembly.LoadFrom).Concat(AssemblyName.Select(Assembly.Load)).ToArray();
        if (PassThru)
            WriteObject(assemblies.SelectMany(a => a.GetExportedTypes()), enumerateCollection: true);
    }
}
