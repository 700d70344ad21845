using System.Management.Automation;
using System.Text;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.Import, "Csv", DefaultParameterSetName = "Path")]
public sealed class ImportCsvCommand : ItemCommand
{
    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public string[]? Header { get; set; }

    [Parameter]
    [TextEncoding]
    public Encoding Encoding { get; set; } = TextEncodings.Default;

    protected override void Process(string path)
    {
        foreach (var file in ResolveFiles(path))
        {
            using var reader = new StreamReader(file, Encoding);
            WriteObject(CsvText.Objects(reader, Delimiter, Header), enumerateCollection: true);
        }
    }
}
