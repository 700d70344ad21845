using System.Management.Automation;
using Microsoft.PowerShell.Commands.Internal.Format;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsCommon.Format, "Table")]
public sealed class FormatTableCommand : OuterFormatTableBase
{
    public FormatTableCommand() => EngineInternals.UseShape(this, "Table");
}
