using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.Convert, "Path", DefaultParameterSetName = "Path")]
[OutputType(typeof(string))]
public sealed class ConvertPathCommand : ItemCommand
{
    protected override void Process(string path) => WriteObject(Resolve(path).Select(p => p.ProviderPath), enumerateCollection: true);
}
