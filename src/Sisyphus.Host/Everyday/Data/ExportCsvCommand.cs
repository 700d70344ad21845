using System.Management.Automation;
using System.Text;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.Export, "Csv", SupportsShouldProcess = true)]
public sealed class ExportCsvCommand : ToCsvCommand, IDisposable
{
    private StreamWriter? _writer;
    private bool _appending;

    [Parameter(Mandatory = true, Position = 0)]
    [Alias("LiteralPath", "PSPath", "LP")]
    public string Path { get; set; } = "";

    [Parameter]
    [TextEncoding]
    public Encoding Encoding { get; set; } = TextEncodings.Default;

    [Parameter]
    public SwitchParameter Append { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override bool WritesHeader => base.WritesHeader && !_appending;

    protected override void BeginProcessing()
    {
        var path = SessionState.Path.GetUnresolvedProviderPathFromPSPath(Path);
        if (!ShouldProcess(path))
            return;
        _appending = Append && File.Exists(path) && new FileInfo(path).Length > 0;
        _writer = new StreamWriter(path, Append, Encoding);
    }

    protected override void EndProcessing() => Dispose();

    public void Dispose() => _writer?.Dispose();

    protected override void WriteLine(string line) => _writer?.WriteLine(line);
}
