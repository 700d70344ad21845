using System.Globalization;
using System.Management.Automation;
using Newtonsoft.Json;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet(VerbsData.ConvertTo, "Json")]
[OutputType(typeof(string))]
public sealed class ConvertToJsonCommand : PSCmdlet
{
    private readonly List<object?> _input = [];

    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [AllowNull]
    public object? InputObject { get; set; }

    [Parameter]
    [ValidateRange(0, 100)]
    public int Depth { get; set; } = 2;

    [Parameter]
    public SwitchParameter Compress { get; set; }

    [Parameter]
    public SwitchParameter EnumsAsStrings { get; set; }

    [Parameter]
    public SwitchParameter AsArray { get; set; }

    [Parameter]
    public StringEscapeHandling EscapeHandling { get; set; } = StringEscapeHandling.Default;

    protected override void ProcessRecord() => _input.Add(InputObject);

    protected override void EndProcessing()
    {
        if (_input.Count == 0)
            return;
        var truncated = false;
        var value = _input.Count > 1 || AsArray ? _input.ToArray() : _input[0];
        var token = JsonValues.ToToken(value, Depth, EnumsAsStrings, () => truncated = true);
        if (truncated)
            WriteWarning($"Resulting JSON is truncated as serialization has exceeded the set depth of {Depth}.");
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using var json = new JsonTextWriter(text)
        {
            Formatting = Compress ? Formatting.None : Formatting.Indented,
            StringEscapeHandling = EscapeHandling,
        };
        token.WriteTo(json);
        json.Flush();
        WriteObject(text.ToString());
    }
}
