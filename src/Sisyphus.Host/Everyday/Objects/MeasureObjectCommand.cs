using System.Management.Automation;
using System.Text.RegularExpressions;
using Sisyphus.Host;

namespace Microsoft.PowerShell.Commands;

[Cmdlet("Measure", "Object", DefaultParameterSetName = "GenericMeasure")]
public sealed partial class MeasureObjectCommand : PSCmdlet
{
    private readonly List<object> _values = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string? Property { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Sum { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Average { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Minimum { get; set; }

    [Parameter(ParameterSetName = "GenericMeasure")]
    public SwitchParameter Maximum { get; set; }

    [Parameter(ParameterSetName = "TextMeasure")]
    public SwitchParameter Line { get; set; }

    [Parameter(ParameterSetName = "TextMeasure")]
    public SwitchParameter Word { get; set; }

    [Parameter(ParameterSetName = "TextMeasure")]
    public SwitchParameter Character { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is null)
            return;
        var value = Property is null ? InputObject : InputObject.Properties[Property]?.Value;
        if (value is not null)
            _values.Add(value);
    }

    protected override void EndProcessing()
    {
        var result = new PSObject();
        if (ParameterSetName == "TextMeasure")
            MeasureText(result);
        else
            MeasureValues(result);
        Add(result, "Property", Property);
        WriteObject(result);
    }

    private void MeasureValues(PSObject result)
    {
        var comparer = new ObjectComparer(caseSensitive: false);
        var numbers = Sum || Average ? _values.Select(v => LanguagePrimitives.ConvertTo<double>(v)).ToArray() : [];
        Add(result, "Count", _values.Count);
        Add(result, "Average", Average && numbers.Length > 0 ? numbers.Average() : null);
        Add(result, "Sum", Sum ? numbers.Sum() : null);
        Add(result, "Maximum", Maximum ? _values.Max(comparer) : null);
        Add(result, "Minimum", Minimum ? _values.Min(comparer) : null);
    }

    private void MeasureText(PSObject result)
    {
        var texts = _values.Select(v => LanguagePrimitives.ConvertTo<string>(v)).ToArray();
        Add(result, "Lines", Line ? texts.Sum(t => t.Length == 0 ? 0 : t.AsSpan().TrimEnd('\n').Count('\n') + 1) : null);
        Add(result, "Words", Word ? texts.Sum(t => Words().Count(t)) : null);
        Add(result, "Characters", Character ? texts.Sum(t => t.Length) : null);
    }

    private static void Add(PSObject result, string name, object? value) => result.Properties.Add(new PSNoteProperty(name, value));

    [GeneratedRegex(@"\S+")]
    private static partial Regex Words();
}
