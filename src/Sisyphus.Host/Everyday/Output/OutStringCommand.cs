using System.Management.Automation;
using Microsoft.PowerShell.Commands.Internal.Format;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.Out, "String", DefaultParameterSetName = "NoNewLineFormatting")]
public sealed class OutStringCommand : FrontEndCommandBase
{
    private readonly StringWriter _text = new();

    [Parameter(ParameterSetName = "StreamFormatting")]
    public SwitchParameter Stream { get; set; }

    [Parameter(ParameterSetName = "NoNewLineFormatting")]
    public SwitchParameter NoNewline { get; set; }

    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    public int Width { get; set; }

    protected override void BeginProcessing()
    {
        EngineInternals.UseWriter(this, _text, Width > 0 ? Width : Host.UI.RawUI.BufferSize.Width);
        base.BeginProcessing();
    }

    protected override void EndProcessing()
    {
        base.EndProcessing();
        var text = _text.ToString();
        if (Stream)
            WriteObject(Lines(text), enumerateCollection: true);
        else
            WriteObject(NoNewline ? text.ReplaceLineEndings("") : text);
    }

    private static IEnumerable<string> Lines(string text)
    {
        using var reader = new StringReader(text);
        while (reader.ReadLine() is { } line)
            yield return line;
    }
}
