using System.Management.Automation;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsDiagnostic.Resolve, "Path", DefaultParameterSetName = "Path")]
public sealed class ResolvePathCommand : ItemCommand
{
    [Parameter]
    public SwitchParameter Relative { get; set; }

    protected override void Process(string path)
    {
        var here = SessionState.Path.CurrentLocation.ProviderPath;
        foreach (var found in Resolve(path))
            WriteObject(Relative ? System.IO.Path.Combine(".", System.IO.Path.GetRelativePath(here, found.ProviderPath)) : found);
    }
}
