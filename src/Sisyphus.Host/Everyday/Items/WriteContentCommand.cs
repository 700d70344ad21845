using System.Management.Automation;
using System.Text;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

/// <summary>What Set-Content and Add-Content share: each value is a line, or bytes where bytes are asked for.</summary>
public abstract class WriteContentCommand(FileMode mode) : PSCmdlet, IDisposable
{
    private readonly List<Stream> _files = [];

    [Parameter(Position = 0, Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Path")]
    public string[] Path { get; set; } = [];

    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "LiteralPath")]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    [Parameter(Position = 1, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object?[]? Value { get; set; }

    [Parameter]
    [TextEncoding]
    public Encoding Encoding { get; set; } = TextEncodings.Default;

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter]
    public SwitchParameter AsByteStream { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void BeginProcessing()
    {
        foreach (var file in Targets().Where(f => ShouldProcess(f)))
        {
            try
            {
                var stream = new FileStream(file, mode, FileAccess.Write, FileShare.ReadWrite);
                _files.Add(stream);
                if (stream.Length == 0 && !AsByteStream)
                    stream.Write(Encoding.Preamble);
            }
            catch (Exception e) when (EverydayErrors.IsItemError(e))
            {
                WriteError(e.ToRecord(file));
            }
        }
    }

    protected override void ProcessRecord()
    {
        foreach (var value in Value ?? [null])
        {
            var bytes = AsByteStream ? Bytes(value) : Encoding.GetBytes(Text(value) + (NoNewline ? "" : Environment.NewLine));
            foreach (var file in _files)
                file.Write(bytes);
        }

        if (PassThru)
            WriteObject(Value, enumerateCollection: true);
    }

    protected override void EndProcessing() => Dispose();

    public void Dispose()
    {
        _files.ForEach(f => f.Dispose());
        _files.Clear();
        GC.SuppressFinalize(this);
    }

    private static byte[] Bytes(object? value) => LanguagePrimitives.ConvertTo<byte[]>(value);

    private static string Text(object? value) => value is null ? "" : LanguagePrimitives.ConvertTo<string>(value);

    // A name without wildcards need not exist yet.
    private IEnumerable<string> Targets()
    {
        if (ParameterSetName == "LiteralPath")
            return LiteralPath.Select(SessionState.Path.GetUnresolvedProviderPathFromPSPath);
        return Path.SelectMany(p => WildcardPattern.ContainsWildcardCharacters(p)
            ? SessionState.Path.GetResolvedProviderPathFromPSPath(p, out _)
            : (IEnumerable<string>)[SessionState.Path.GetUnresolvedProviderPathFromPSPath(p)]);
    }
}
