using System.Management.Automation;
using System.Management.Automation.Language;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.Import, "PowerShellDataFile", DefaultParameterSetName = "Path")]
public sealed class ImportPowerShellDataFileCommand : ItemCommand
{
    protected override void Process(string path)
    {
        foreach (var file in ResolveFiles(path))
        {
            var script = Parser.ParseFile(file, out _, out var errors);
            var table = script.Find(a => a is HashtableAst, searchNestedScriptBlocks: false);
            if (errors.Length > 0 || table is null)
                throw new InvalidOperationException($"'{file}' is not a PowerShell data file: {(errors.Length > 0 ? errors[0].Message : "it has no hashtable")}.");
            // Values only: a name, a call or any other code in it is an error.
            WriteObject(table.SafeGetValue());
        }
    }
}
