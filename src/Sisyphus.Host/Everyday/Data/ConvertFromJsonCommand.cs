using System.Management.Automation;
using Newtonsoft.Json;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.ConvertFrom, "Json")]
public sealed class ConvertFromJsonCommand : PSCmdlet
{
    private readonly List<string> _lines = [];

    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [AllowEmptyString]
    public string InputObject { get; set; } = "";

    [Parameter]
    public SwitchParameter AsHashtable { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Depth { get; set; } = 1024;

    [Parameter]
    public SwitchParameter NoEnumerate { get; set; }

    protected override void ProcessRecord() => _lines.Add(InputObject);

    protected override void EndProcessing()
    {
        // As in pwsh: if the first line is a document of its own, each line is; otherwise the lines are one document.
        if (_lines.Count > 1 && TryParse(_lines[0]))
            _lines.ForEach(Write);
        else
            Write(string.Join(Environment.NewLine, _lines));
    }

    private bool TryParse(string text)
    {
        try
        {
            return text.Length > 0 && JsonValues.Parse(text, AsHashtable, Depth, NoEnumerate, out _) is not null;
        }
        catch (JsonReaderException)
        {
            return false;
        }
    }

    private void Write(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return;
        try
        {
            WriteObject(JsonValues.Parse(text, AsHashtable, Depth, NoEnumerate, out var enumerate), enumerate);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            ThrowTerminatingError(new ErrorRecord(
                new ArgumentException($"Conversion from JSON failed with error: {e.Message}", e), "System.ArgumentException", ErrorCategory.NotSpecified, null));
        }
    }
}
