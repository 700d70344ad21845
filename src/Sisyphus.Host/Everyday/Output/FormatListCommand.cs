using System.Management.Automation;
using Microsoft.PowerShell.Commands.Internal.Format;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Format, "List")]
public sealed class FormatListCommand : OuterFormatTableAndListBase
{
    public FormatListCommand() => EngineInternals.UseShape(this, "List");
}
