using System.Management.Automation;
using System.Text;
using Microsoft.PowerShell.Commands.Internal.Format;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet("Out", "File", DefaultParameterSetName = "ByPath", SupportsShouldProcess = true)]
public sealed class OutFileCommand : FrontEndCommandBase
{
    private StreamWriter? _writer;

    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "ByPath")]
    [Alias("Path")]
    public string? FilePath { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "ByLiteralPath", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LP")]
    public string? LiteralPath { get; set; }

    [Parameter(Position = 1)]
    [TextEncoding]
    public Encoding Encoding { get; set; } = TextEncodings.Default;

    [Parameter]
    public SwitchParameter Append { get; set; }

    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    public int Width { get; set; }

    protected override void BeginProcessing()
    {
        var path = SessionState.Path.GetUnresolvedProviderPathFromPSPath(LiteralPath ?? FilePath);
        // -WhatIf still formats, into nowhere, as there is no way out of a formatting command's beginning.
        var stream = ShouldProcess(path, "Output to File") ? Open(path) : Stream.Null;
        _writer = new StreamWriter(stream, Encoding);
        if (NoNewline)
            _writer.NewLine = "";
        // Files are not cut at the screen's margin.
        EngineInternals.UseWriter(this, _writer, Width > 0 ? Width : int.MaxValue);
        base.BeginProcessing();
    }

    protected override void EndProcessing()
    {
        base.EndProcessing();
        _writer?.Dispose();
    }

    protected override void InternalDispose()
    {
        _writer?.Dispose();
        base.InternalDispose();
    }

    private FileStream Open(string path)
    {
        try
        {
            var mode = Append ? FileMode.Append : NoClobber ? FileMode.CreateNew : FileMode.Create;
            return new FileStream(path, mode, FileAccess.Write, FileShare.Read);
        }
        catch (Exception e) when (EverydayErrors.IsItemError(e))
        {
            ThrowTerminatingError(new ErrorRecord(e, "FileOpenFailure", ErrorCategory.OpenError, path));
            throw;
        }
    }
}
